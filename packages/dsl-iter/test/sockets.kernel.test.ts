// Iterators over sockets, and what is stored with them.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { struct, u16, u32 } from '@bpf/btf/data';
import { copyFields, setField, stackRecord, structPtr } from '@bpf/dsl';
import { jeq, label } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { iterProgram, loadCtxPtr, loadOrExit, seqWrite, writeRecord } from '../src/index.ts';
import { rows } from './kit.ts';

/** A TCP socket that listens, as its descriptor and port. */
async function listening<T>(use: (socket: { readonly fd: number }, port: number) => T): Promise<T> {
  const server: Server & { _handle?: { readonly fd: number } } = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return use({ fd: server._handle?.fd ?? -1 }, (server.address() as { port: number }).port);
  } finally {
    server.close();
  }
}

kernelTest(iterator('tcp'), "knows a socket's owner", () =>
  listening((_, port) => {
    const Row = struct({ port: u16, uid: u32 });
    const row = stackRecord(Row, -8);
    const sockets = iterProgram('tcp', 'owners', (ctx) => [
      loadOrExit(ctx, 'r7', 'sk_common'),
      [loadCtxPtr(ctx, 'r1', 'uid'), setField(row, 'uid', 'r1')],
      copyFields(structPtr(kernelBtf(), 'sock_common', 'r7'), row, { port: 'skc_num' }),
      writeRecord(ctx, row),
    ]);
    assert.deepEqual(
      rows(sockets, Row).find((one) => one.port === port),
      { port, uid: process.getuid?.() },
    );
  }),
);

kernelTest(iterator('sockmap'), 'visits the sockets of a map, with its empty places', () =>
  listening((socket, port) => {
    using map = createMap({ type: 'sockmap', maxEntries: 2 });
    map.set(1, socket);
    const Row = struct({ index: u32, port: u32 });
    const row = stackRecord(Row, -8);
    const sockets = iterProgram('sockmap', 'sockets', (ctx) => [
      loadOrExit(ctx, 'r7', 'key'),
      [loadCtxPtr(ctx, 'r8', 'sk'), seqWrite(ctx, 'r7', 4)],
      [setField(row, 'port', 0), jeq('r8', 0, 'empty')],
      copyFields(structPtr(kernelBtf(), 'sock', 'r8'), row, { port: '__sk_common.skc_num' }),
      label('empty'),
      seqWrite(ctx, -4, 4),
    ]);
    const found = rows(sockets, Row, { iterInfo: { map } });
    assert.deepEqual(found, [
      { index: 0, port: 0 },
      { index: 1, port },
    ]);
  }),
);

kernelTest(iterator('bpf_sk_storage_map'), 'visits what is stored with sockets', () =>
  listening((socket, port) => {
    using map = createMap({ type: 'sk_storage', value: u32 });
    map.set(socket, 4711);
    const Row = struct({ port: u32, value: u32 });
    const row = stackRecord(Row, -8);
    const stored = iterProgram('bpf_sk_storage_map', 'stored', (ctx) => [
      [loadOrExit(ctx, 'r7', 'sk'), loadOrExit(ctx, 'r8', 'value')],
      copyFields(structPtr(kernelBtf(), 'sock', 'r7'), row, { port: '__sk_common.skc_num' }),
      seqWrite(ctx, -8, 4),
      seqWrite(ctx, 'r8', 4),
    ]);
    assert.deepEqual(rows(stored, Row, { iterInfo: { map } }), [{ port, value: 4711 }]);
  }),
);
