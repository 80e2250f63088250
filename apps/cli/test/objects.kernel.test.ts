import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { char, struct, u32, u64 } from '@bpf/btf/data';
import { createMap, openMap } from '@bpf/maps';
import { linkGetInfo, progGetInfo, progLoad, rawTracepointOpen } from '@bpf/sys';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { bpfSyscall, rawTracepoint, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';

const bpf = join(jobFolder, 'bpf.js');

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bpf, ...args], { encoding: 'utf8' });
}

/** What a command prints, which must succeed. */
function out(...args: string[]): string {
  const { status, stdout, stderr } = run(...args);
  assert.equal(`${status} ${stderr}`, '0 ', args.join(' '));
  return stdout;
}

const json = (...args: string[]): Record<string, unknown>[] =>
  out(...args, '--json')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** What bpftool says, where it is. */
function bpftool(...args: string[]): Record<string, unknown> | undefined {
  const path = ['/usr/sbin/bpftool', '/usr/bin/bpftool', '/sbin/bpftool'].find((file) => existsSync(file));
  if (path === undefined) return undefined;
  return JSON.parse(spawnSync(path, ['-j', ...args], { encoding: 'utf8' }).stdout) as Record<string, unknown>;
}

/** Fields that both have, less what bpftool knows of other processes and of files. */
function assertAgrees(ours: Record<string, unknown>, theirs: Record<string, unknown> | undefined): void {
  if (theirs === undefined) return;
  const { pids: _pids, pinned: _pinned, ...rest } = theirs;
  // It rounds the time of loading another way.
  assert.ok(Math.abs(Number(rest.loaded_at ?? 0) - Number(ours.loaded_at ?? 0)) <= 1);
  assert.deepEqual({ ...ours, loaded_at: 0 }, { ...rest, loaded_at: 0 });
}

const Count = struct({ calls: u64, comm: char(16) });

kernelTest(rawTracepoint, 'bpf prog, map and link list what there is, as bpftool does', () => {
  using map = createMap({ type: 'hash', key: u32, value: Count, maxEntries: 10, name: 'cli_map' });
  const insns = Uint8Array.from([
    0x18,
    0x11,
    0,
    0,
    map.fd,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0xb7,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
    0x95,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]);
  using prog = progLoad({ type: 'raw_tracepoint', insns, license: 'GPL', name: 'cli_prog' });
  using link = rawTracepointOpen({ prog, name: 'sys_enter' });
  const progId = progGetInfo(prog).id;
  const find = (all: Record<string, unknown>[], id: number) =>
    all.find((one) => one.id === id) ?? assert.fail(`no ${id}`);

  const ours = find(json('prog', 'list'), progId);
  assert.equal(ours.name, 'cli_prog');
  assert.deepEqual(ours.map_ids, [map.info.id]);
  assertAgrees(ours, bpftool('prog', 'show', 'id', String(progId)));
  const theMap = find(json('map', 'list'), map.info.id);
  assertAgrees(theMap, bpftool('map', 'show', 'id', String(map.info.id)));
  const { id } = linkGetInfo(link);
  const theLink = find(json('link', 'list'), id);
  assert.equal(theLink.tp_name, 'sys_enter');
  assertAgrees(theLink, bpftool('link', 'show', 'id', String(id)));

  assert.match(
    out('prog', 'list'),
    new RegExp(`${progId}  raw_tracepoint +cli_prog +[0-9a-f]{16} +4  ${map.info.id}\n`),
  );
  assert.match(
    out('prog', 'dump', String(progId)),
    new RegExp(`^ +0: r1 = map_fd\\[${map.info.id}\\] ll\n +2: r0 = 0\n +3: exit\n$`),
  );
  assert.match(out('link', 'list'), new RegExp(`${id}  raw_tracepoint  ${progId}  tp_name sys_enter\n`));
});

kernelTest(bpfSyscall, 'bpf map reads and writes entries by their types', () => {
  using map = createMap({ type: 'hash', key: u32, value: Count, maxEntries: 10, name: 'cli_typed' });
  const id = String(map.info.id);
  assert.equal(out('map', 'set', id, '7', '{"calls":5,"comm":"init"}'), '');
  assert.deepEqual(map.get(7), { calls: 5n, comm: 'init' });
  assert.equal(out('map', 'get', id, '7'), '{"calls":5,"comm":"init"}\n');
  assert.deepEqual(json('map', 'dump', id), [{ key: 7, value: { calls: 5, comm: 'init' } }]);
  assert.equal(out('map', 'delete', id, '7'), '');
  assert.equal(map.size, 0);
  const missing = run('map', 'get', id, '7');
  assert.deepEqual([missing.status, missing.stderr], [1, `bpf: Map ${id} has no key 7.\n`]);
  const wrong = run('map', 'set', id, '7', '{"calls":5}');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /^bpf: comm: it is missing\n$/);
});

kernelTest(bpfSyscall, 'bpf map and prog make and pin what they are told', () => {
  withBpffs((folder) => {
    const path = join(folder, 'made');
    out('map', 'create', path, '--type', 'hash', '--key', '4', '--value', '2', '--entries', '3', '--name', 'made');
    using map = openMap({ path, type: 'hash', keySize: 4, valueSize: 2 });
    out('map', 'set', path, '01000000', '0a 0b');
    assert.deepEqual(map.get(Uint8Array.of(1, 0, 0, 0)), Uint8Array.of(10, 11));
    assert.equal(out('map', 'dump', path), '01000000: 0a0b\n');
    const short = run('map', 'set', path, '01', '0a0b');
    assert.match(short.stderr, /'01' is no key of this map: it wants 4 bytes, as 8 hexadecimal digits/);
    const file = join('/tmp', `bpf-cli-${process.pid}.s`);
    writeFileSync(file, 'r0 = 42\nexit\n');
    out('prog', 'load', file, join(folder, 'prog'), '--type', 'socket_filter');
    rmSync(file);
    assert.match(out('prog', 'run', join(folder, 'prog')), /^retval +42\n/);
    assert.deepEqual(json('prog', 'run', join(folder, 'prog'), '--repeat', '5')[0]?.retval, 42);
  });
  const none = run('map', 'show', 'no_such_map_here');
  assert.deepEqual([none.status, none.stdout], [1, '']);
  assert.match(none.stderr, /^bpf: There is no map with the name 'no_such_map_here'/);
});

kernelTest(
  unprivileged,
  'the unprivileged are told so',
  () => {
    const { status, stdout, stderr } = run('prog', 'list');
    assert.deepEqual([status, stdout], [77, '']);
    assert.match(stderr, /^bpf: BPF_PROG_GET_NEXT_ID: .*\n$/);
  },
  ['none'],
);
