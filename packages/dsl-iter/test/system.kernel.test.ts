// Iterators over processes, sockets and the rest of the kernel, each compared with what /proc or /sys says.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { array, char, s32, struct, u8, u16, u32, u64 } from '@bpf/btf/data';
import { copyFields, readField, setField, stackRecord, structPtr } from '@bpf/dsl';
import { jeq, label } from '@bpf/insn';
import { kernelBtf, openIterator } from '@bpf/programs';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { iterProgram, loadOrExit, returnContinue, seqWrite, writeRecord } from '../src/index.ts';
import { lasting, rows } from './kit.ts';

const lines = (path: string): string[] => readFileSync(path, 'latin1').trim().split('\n');

/** Leaves the program unless the task in r7 is the first thread of this process. */
const onlyOwn = () => [
  readField(structPtr(kernelBtf(), 'task_struct', 'r7'), 'r1', 'pid'),
  jeq('r1', process.pid, 'own'),
  returnContinue(),
  label('own'),
];

kernelTest(iterator('task'), 'lists the threads that /proc does', () => {
  const Row = struct({ tgid: s32, pid: s32, comm: char(16) });
  const row = stackRecord(Row, -24);
  const tasks = iterProgram('task', 'threads', (ctx) => [
    loadOrExit(ctx, 'r7', 'task'),
    copyFields(structPtr(kernelBtf(), 'task_struct', 'r7'), row, { tgid: 'tgid', pid: 'pid', comm: 'comm' }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () => readdirSync('/proc/self/task').map(Number),
    () => rows(tasks, Row),
  );
  for (const pid of there) {
    const comm = lines(`/proc/self/task/${pid}/comm`)[0];
    assert.deepEqual(
      result.find((one) => one.pid === pid),
      { tgid: process.pid, pid, comm },
    );
  }
  const own = result.filter(({ tgid }) => tgid === process.pid).map(({ pid }) => pid);
  assert.equal(new Set(own).size, own.length);
});

kernelTest(iterator('task_vma'), 'lists the mappings that /proc/self/maps does', () => {
  const Row = struct({ start: u64, end: u64, inode: u64 });
  const row = stackRecord(Row, -24);
  const mappings = iterProgram('task_vma', 'mappings', (ctx) => [
    loadOrExit(ctx, 'r7', 'task'),
    onlyOwn(),
    loadOrExit(ctx, 'r8', 'vma'),
    copyFields(structPtr(kernelBtf(), 'vm_area_struct', 'r8'), row, {
      start: 'vm_start',
      end: 'vm_end',
      inode: 'vm_file.f_inode.i_ino',
    }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () =>
      lines('/proc/self/maps').map((line) => {
        const [, start, end, inode] = /^(\w+)-(\w+) \S+ \S+ \S+ (\d+)/.exec(line) ?? [];
        return `${start} ${end} ${inode}`;
      }),
    () => rows(mappings, Row),
  );
  const hex = (address: bigint) => address.toString(16).padStart(8, '0');
  const found = new Set(result.map(({ start, end, inode }) => `${hex(start)} ${hex(end)} ${inode}`));
  // The gate page belongs to no process.
  for (const one of there.filter((one) => !one.startsWith('ffff'))) assert.ok(found.has(one), one);
});

kernelTest(iterator('netlink'), 'lists the sockets that /proc/net/netlink does', () => {
  const Row = struct({ protocol: u16, port: u32 });
  const row = stackRecord(Row, -8);
  const sockets = iterProgram('netlink', 'netlink', (ctx) => [
    loadOrExit(ctx, 'r7', 'sk'),
    copyFields(structPtr(kernelBtf(), 'netlink_sock', 'r7'), row, { protocol: 'sk.sk_protocol', port: 'portid' }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () =>
      lines('/proc/net/netlink')
        .slice(1)
        .map((line) => line.split(/\s+/).slice(1, 3).join(' ')),
    () => rows(sockets, Row),
  );
  assert.ok(there.length > 0);
  for (const one of there)
    assert.ok(
      result.some(({ protocol, port }) => `${protocol} ${port}` === one),
      one,
    );
});

kernelTest(iterator('ipv6_route'), 'lists the routes that /proc/net/ipv6_route does', () => {
  const Row = struct({ address: array(u8, 16), length: s32 });
  const row = stackRecord(Row, -24);
  const routes = iterProgram('ipv6_route', 'routes', (ctx) => [
    loadOrExit(ctx, 'r7', 'rt'),
    copyFields(structPtr(kernelBtf(), 'fib6_info', 'r7'), row, { address: 'fib6_dst.addr', length: 'fib6_dst.plen' }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () => lines('/proc/net/ipv6_route').map((line) => line.slice(0, 35)),
    () => rows(routes, Row),
  );
  const found = result.map(
    ({ address, length }) => `${Buffer.from(address).toString('hex')} ${length.toString(16).padStart(2, '0')}`,
  );
  assert.ok(there.length > 0);
  assert.deepEqual([...new Set(there)].sort(), [...new Set(found)].filter((one) => there.includes(one)).sort());
});

kernelTest(iterator('ksym'), 'lists the symbols that /proc/kallsyms does', () => {
  const symbols = iterProgram('ksym', 'symbols', (ctx) => [
    loadOrExit(ctx, 'r7', 'ksym'),
    readField(structPtr(kernelBtf(), 'kallsym_iter', 'r7'), 'r1', 'type'),
    setField(stackRecord(struct({ type: u8 }), -8), 'type', 'r1'),
    seqWrite(ctx, -8, 1),
  ]);
  using pass = openIterator(symbols);
  const found = Buffer.from(pass.read()).toString('latin1');
  // Modules and BPF programs, which come last, come and go.
  const core = readFileSync('/proc/kallsyms', 'latin1').match(/^\S+ \S (?!.*\[)/gm) ?? [];
  assert.ok(core.length > 10_000);
  const types = core.map((line) => line.at(-2)).join('');
  assert.equal(found.slice(0, types.length) === types, true);
});

kernelTest(iterator('cgroup'), 'visits a cgroup that was just made, and only that', () => {
  const Row = struct({ id: u64, level: s32 });
  const row = stackRecord(Row, -16);
  const cgroups = iterProgram('cgroup', 'cgroups', (ctx) => [
    loadOrExit(ctx, 'r7', 'cgroup'),
    copyFields(structPtr(kernelBtf(), 'cgroup', 'r7'), row, { id: 'kn.id', level: 'level' }),
    writeRecord(ctx, row),
  ]);
  withCgroup(({ path, fd }) => {
    const id = statSync(path, { bigint: true }).ino;
    const found = rows(cgroups, Row, { iterInfo: { cgroup: { fd, order: 'self_only' } } });
    assert.deepEqual(
      found.map((one) => one.id),
      [id],
    );
    const up = rows(cgroups, Row, { iterInfo: { cgroup: { fd, order: 'ancestors_up' } } });
    assert.deepEqual(
      up.map(({ level }) => level),
      [...up.keys()].reverse(),
    );
  });
});

kernelTest(iterator('kmem_cache'), 'lists the caches that /proc/slabinfo does', () => {
  const Row = struct({ objectSize: u32, size: u32, name: char(64) });
  const row = stackRecord(Row, -72);
  const caches = iterProgram('kmem_cache', 'caches', (ctx) => [
    loadOrExit(ctx, 'r7', 's'),
    copyFields(structPtr(kernelBtf(), 'kmem_cache', 'r7'), row, {
      name: 'name',
      objectSize: 'object_size',
      size: 'size',
    }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () =>
      lines('/proc/slabinfo')
        .slice(2)
        .map((line) => line.replace(/^(\S+) +\S+ +\S+ +(\S+) .*$/, '$1 $2')),
    () => rows(caches, Row),
  );
  assert.ok(there.length > 10);
  for (const one of there)
    assert.ok(
      result.some(({ name, size }) => `${name} ${size}` === one),
      one,
    );
  for (const { name, objectSize, size } of result) assert.ok(objectSize <= size, name);
});

kernelTest(iterator('dmabuf'), 'lists buffers, if there are some', () => {
  const Row = struct({ size: u64, inode: u64 });
  const row = stackRecord(Row, -16);
  const buffers = iterProgram('dmabuf', 'buffers', (ctx) => [
    loadOrExit(ctx, 'r7', 'dmabuf'),
    copyFields(structPtr(kernelBtf(), 'dma_buf', 'r7'), row, { size: 'size', inode: 'file.f_inode.i_ino' }),
    writeRecord(ctx, row),
  ]);
  for (const { size, inode } of rows(buffers, Row)) assert.ok(size % 4096n === 0n && inode > 0n);
});
