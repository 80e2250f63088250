import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { char, struct, u32, u64 } from '@bpf/btf/data';
import { createMap, openMap } from '@bpf/maps';
import { linkGetInfo, progGetInfo, progLoad, rawTracepointOpen } from '@bpf/sys';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { bpfSyscall, rawTracepoint, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { assertAgrees, bpftool, byId, json, out, start } from './run.ts';

const Count = struct({ calls: u64, comm: char(16) });

kernelTest(rawTracepoint, 'bpf prog, map and link list what there is, as bpftool does', async () => {
  using map = createMap({ type: 'hash', key: u32, value: Count, maxEntries: 10, name: 'cli_map' });
  const insns = Uint8Array.from(Buffer.from('18110000000000000000000000000000b7000000000000009500000000000000', 'hex'));
  insns[4] = map.fd;
  using prog = progLoad({ type: 'raw_tracepoint', insns, license: 'GPL', name: 'cli_prog' });
  using link = rawTracepointOpen({ prog, name: 'sys_enter' });
  const progId = progGetInfo(prog).id;

  const ours = byId(await json('prog', 'list'), progId);
  assert.equal(ours.name, 'cli_prog');
  assert.deepEqual(ours.map_ids, [map.info.id]);
  assertAgrees(ours, bpftool('prog', 'show', 'id', String(progId)));
  const theMap = byId(await json('map', 'list'), map.info.id);
  assertAgrees(theMap, bpftool('map', 'show', 'id', String(map.info.id)));
  const { id } = linkGetInfo(link);
  const theLink = byId(await json('link', 'list'), id);
  assert.equal(theLink.tp_name, 'sys_enter');
  assertAgrees(theLink, bpftool('link', 'show', 'id', String(id)));

  assert.match(
    await out('prog', 'list'),
    new RegExp(`${progId}  raw_tracepoint +cli_prog +[0-9a-f]{16} +4  ${map.info.id}\n`),
  );
  assert.match(
    await out('prog', 'dump', String(progId)),
    new RegExp(`^ +0: r1 = map_fd\\[${map.info.id}\\] ll\n +2: r0 = 0\n +3: exit\n$`),
  );
  assert.match(await out('link', 'list'), new RegExp(`^ *${id}  raw_tracepoint +${progId}  tp_name sys_enter\n`, 'm'));
});

kernelTest(bpfSyscall, 'bpf map reads and writes entries by their types', async () => {
  using map = createMap({ type: 'hash', key: u32, value: Count, maxEntries: 10, name: 'cli_typed' });
  const id = String(map.info.id);
  assert.equal(await out('map', 'set', id, '7', '{"calls":5,"comm":"init"}'), '');
  assert.deepEqual(map.get(7), { calls: 5n, comm: 'init' });
  assert.equal(await out('map', 'get', id, '7'), '{"calls":5,"comm":"init"}\n');
  const dump = await json('map', 'dump', id);
  assert.deepEqual(dump, [{ key: 7, value: { calls: 5, comm: 'init' } }]);
  const theirs = bpftool('map', 'dump', 'id', id) as unknown as { formatted: unknown }[] | undefined;
  assert.deepEqual(dump, theirs?.map(({ formatted }) => formatted) ?? dump);
  assert.equal(await out('map', 'delete', id, '7'), '');
  assert.equal(map.size, 0);
  await assert.rejects(out('map', 'get', id, '7'), { message: `Map ${id} has no key 7.` });
  await assert.rejects(out('map', 'set', id, '7', '{"calls":5}'), { message: 'comm: it is missing' });
});

kernelTest(bpfSyscall, 'bpf map takes integers of 64 bits as they are dumped, and as numbers', async () => {
  const Large = struct({ calls: u64, inner: struct({ time: u64 }), comm: char(16) });
  using map = createMap({ type: 'hash', key: u64, value: Large, maxEntries: 10 });
  const id = String(map.info.id);
  const large = 9223372036854775809n;
  const value = `{"calls":"${large}","inner":{"time":${large}},"comm":"1"}`;
  for (const key of [`"${large}"`, `${large}`]) {
    await out('map', 'set', id, key, value);
    assert.deepEqual(map.get(large), { calls: large, inner: { time: large }, comm: '1' });
    const [entry] = await json('map', 'dump', id);
    assert.deepEqual(entry, {
      key: `${large}`,
      value: { calls: `${large}`, inner: { time: `${large}` }, comm: '1' },
    });
    await out('map', 'set', id, JSON.stringify(entry.key), JSON.stringify(entry.value));
    await out('map', 'delete', id, key);
    assert.equal(map.size, 0);
  }
});

kernelTest(
  bpfSyscall,
  'a map that goes while it is dumped is dumped to its end, and one that went is told',
  async () => {
    const map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 3000, name: 'cli_going' });
    const { id } = map.info;
    for (let key = 0; key < 3000; key++) map.set(key, key);
    const { said, done } = start('map', 'dump', String(id));
    const { write } = process.stdout;
    let pieces = 0;
    process.stdout.write = (piece: string): boolean => {
      pieces++;
      map.close();
      return write(piece);
    };
    await done;
    assert.ok(pieces > 1, 'there was more to come');
    assert.equal(said().trimEnd().split('\n').length, 3000);
    await assert.rejects(out('map', 'dump', String(id)), { code: 'ENOENT' });
  },
);

kernelTest(bpfSyscall, 'bpf map and prog make and pin what they are told', async () => {
  await withBpffs(async (folder) => {
    const path = join(folder, 'made');
    await out(
      'map',
      'create',
      path,
      '--type',
      'hash',
      '--key',
      '4',
      '--value',
      '2',
      '--entries',
      '3',
      '--name',
      'made',
    );
    using map = openMap({ path, type: 'hash', keySize: 4, valueSize: 2 });
    await out('map', 'set', path, '01000000', '0a 0b');
    assert.deepEqual(map.get(Uint8Array.of(1, 0, 0, 0)), Uint8Array.of(10, 11));
    assert.equal(await out('map', 'dump', path), '01000000: 0a0b\n');
    await assert.rejects(out('map', 'set', path, '01', '0a0b'), /'01' is no key of this map: it wants 4 bytes/);
    const file = join('/tmp', `bpf-cli-${process.pid}.s`);
    writeFileSync(file, 'r0 = 42\nexit\n');
    await out('prog', 'load', file, join(folder, 'prog'), '--type', 'socket_filter');
    rmSync(file);
    assert.match(await out('prog', 'run', join(folder, 'prog')), /^retval +42\n/);
    assert.deepEqual((await json('prog', 'run', join(folder, 'prog'), '--repeat', '5'))[0]?.retval, 42);
  });
  await assert.rejects(
    out('map', 'show', 'no_such_map_here'),
    /^Error: There is no map with the name 'no_such_map_here'/,
  );
});

kernelTest(
  unprivileged,
  'the unprivileged are told so',
  () => {
    const bpf = join(jobFolder, 'cli/bpf.cjs');
    const run = (...args: string[]) => spawnSync(process.execPath, [bpf, ...args], { encoding: 'utf8' });
    const { status, stdout, stderr } = run('prog', 'list');
    assert.deepEqual([status, stdout], [77, '']);
    assert.match(stderr, /^bpf: BPF_PROG_GET_NEXT_ID: .*\n$/);
    const doctor = run('doctor');
    assert.equal(doctor.stderr, '');
    assert.match(doctor.stdout, /^PROBLEM +capabilities /m);
    assert.equal(doctor.status, 1);
  },
  ['none'],
);
