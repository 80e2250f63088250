import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { struct, u32, u64 } from '@bpf/btf/data';
import { add, assemble, call, exit, lddw, ldMapFd, mov, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import {
  type Fd,
  type HasFd,
  mapCreate,
  mapDeleteElem,
  mapGetInfo,
  mapUpdateElem,
  pageSize,
  possibleCpus,
  progLoad,
  progTestRun,
} from '@bpf/sys';
import { bpfSyscall, mapType, perfBpfOutput } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { out, outWhile, start } from './run.ts';

const PERF_EVENT_OUTPUT = 25;
const RINGBUF_OUTPUT = 130;
const BPF_F_CURRENT_CPU = 0xffff_ffffn;

const makeRing = () =>
  mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: pageSize(), name: 'cli_ring' });
const ringbuf = mapType('ringbuf', makeRing);

/** A program that sends the twelve bytes `00 01 … 0b`. */
function loadSender(map: HasFd, type: 'ringbuf' | 'perf_event_array'): Fd {
  const insns = assemble([
    mov('r6', 'r1'),
    lddw('r1', 0x0706_0504_0302_0100n),
    stx('dw', 'r10', 'r1', -16),
    lddw('r1', 0x0b0a_0908n),
    stx('dw', 'r10', 'r1', -8),
    type === 'ringbuf'
      ? [ldMapFd('r1', map.fd), mov('r2', 'r10'), add('r2', -16), mov('r3', 12), mov('r4', 0), call(RINGBUF_OUTPUT)]
      : [
          mov('r1', 'r6'),
          ldMapFd('r2', map.fd),
          lddw('r3', BPF_F_CURRENT_CPU),
          mov('r4', 'r10'),
          add('r4', -16),
          mov('r5', 12),
          call(PERF_EVENT_OUTPUT),
        ],
    mov('r0', 0),
    exit(),
  ]);
  return progLoad({ type: 'socket_filter', insns, license: 'GPL' });
}

function send(prog: Fd): void {
  progTestRun(prog, { data: new Uint8Array(14) });
}
const BYTES = '000102030405060708090a0b';

kernelTest(ringbuf, 'bpf events prints what comes through a ring buffer', async () => {
  using ring = makeRing();
  using prog = loadSender(ring, 'ringbuf');
  for (let i = 0; i < 3; i++) send(prog);
  const id = String(ring.info.id);
  assert.equal(await out('events', id, '--limit', '2'), `${BYTES}\n${BYTES}\n`);
  assert.equal(await out('events', 'cli_ring', '--limit', '1', '--json'), `"${BYTES}"\n`);
  using hash = createMap({ type: 'array', value: u32, maxEntries: 1 });
  await assert.rejects(out('events', String(hash.info.id)), {
    message: `Map ${hash.info.id} is of type array, and events come from a ringbuf or a perf_event_array: \`bpf map watch\` shows how its entries change.`,
  });
});

kernelTest(perfBpfOutput, 'bpf events prints the samples of a perf event array, and their CPU', async () => {
  using map = mapCreate({ type: 'perf_event_array', keySize: 4, valueSize: 4, maxEntries: possibleCpus() });
  using prog = loadSender(map, 'perf_event_array');
  const id = String(mapGetInfo(map).id);
  // What is sent before there is a reader is lost.
  const text = await outWhile(start('events', id, '--limit', '1'), () => send(prog));
  assert.match(text, new RegExp(`^cpu \\d+: ${BYTES}\n$`));
  const line = await outWhile(start('events', id, '--limit', '1', '--json'), () => send(prog));
  const { cpu, data } = JSON.parse(line) as { cpu: unknown; data: unknown };
  assert.deepEqual([typeof cpu, data], ['number', BYTES]);
});

kernelTest(ringbuf, 'bpf events ends at a signal, and when nobody reads on, with status 0', async () => {
  using rings = pair(makeRing);
  using progs = pair((i) => loadSender(rings[i], 'ringbuf'));
  const bpf = join(jobFolder, 'cli/bpf.cjs');
  const children = rings.map(({ info }) =>
    spawn(process.execPath, [bpf, 'events', String(info.id)], { stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  const [interrupted, unread] = children as [(typeof children)[0], (typeof children)[0]];
  const errors = children.map(({ stderr }) => stderr.toArray());
  try {
    interrupted.stdout.once('data', () => interrupted.kill('SIGINT'));
    // As `head -n 1` does.
    unread.stdout.once('data', () => unread.stdout.destroy());
    while (children.some(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
      for (const prog of progs) send(prog);
      await sleep(5);
    }
    assert.deepEqual(
      children.map(({ exitCode }) => exitCode),
      [0, 0],
    );
    assert.deepEqual(await Promise.all(errors), [[], []]);
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
});

const Pair = struct({ a: u64, b: u32 });

kernelTest(bpfSyscall, 'bpf map watch prints what changes, by its types', async () => {
  using map = createMap({ type: 'hash', key: u32, value: Pair, maxEntries: 8, name: 'cli_watched' });
  map.set(1, { a: 1n, b: 1 });
  let turn = 1n;
  const watch = start('map', 'watch', 'cli_watched', '--interval', '0.01', '--limit', '3', '--json');
  const text = await outWhile(watch, () => map.set(1, { a: ++turn, b: 2 }));
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /^\{"key":1,"value":\{"a":\d+,"b":2\}\}$/);
});

kernelTest(bpfSyscall, 'bpf map watch prints bytes as digits and what was deleted, until SIGTERM', async () => {
  using map = mapCreate({ type: 'hash', keySize: 2, valueSize: 1, maxEntries: 4 });
  const key = Uint8Array.of(1, 2);
  const { id } = mapGetInfo(map);
  let value = 0;
  const text = await outWhile(start('map', 'watch', String(id), '--interval', '0.01'), (said) => {
    if (said.includes('deleted')) process.emit('SIGTERM', 'SIGTERM');
    else if (said !== '') mapDeleteElem(map, key);
    else mapUpdateElem(map, key, Uint8Array.of(value++ % 256));
  });
  assert.match(text, /^(0102: [0-9a-f]{2}\n)+0102: deleted\n$/);
});

kernelTest(ringbuf, 'bpf events and bpf map watch end when nobody reads, though nothing comes', async () => {
  using ring = makeRing();
  using map = createMap({ type: 'array', value: u32, maxEntries: 1 });
  await endsUnread('events', String(ring.info.id));
  await endsUnread('map', 'watch', String(map.info.id));
});

/** With a pipe whose other end is closed: a child's is a socket. */
async function endsUnread(...args: string[]): Promise<void> {
  const script = '{ "$@"; echo "status $?" >&2; } | :';
  const command = ['-c', script, 'sh', process.execPath, join(jobFolder, 'cli/bpf.cjs'), ...args];
  const child = spawn('sh', command, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  // All that it has started.
  const timer = setTimeout(() => process.kill(-Number(child.pid), 'SIGKILL'), 30_000);
  const [said] = await Promise.all([child.stderr.toArray(), once(child, 'close')]);
  clearTimeout(timer);
  assert.equal(said.join(''), 'status 0\n');
}

/** Two of them, which end together. */
function pair<T extends Disposable>(make: (i: 0 | 1) => T): readonly [T, T] & Disposable {
  const both = [make(0), make(1)] as const;
  return Object.assign(both, {
    [Symbol.dispose]() {
      for (const one of both) one[Symbol.dispose]();
    },
  });
}
