import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { array, bytes, char, struct, u8, u16, u32, u64 } from '@bpf/btf/data';
import { fileOpen, type MapType, mapCreate, mapUpdateElem, O_RDONLY, possibleCpus, progLoad } from '@bpf/sys';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { arrayMap, bpfSyscall, hashMap, mapOperation, mapType } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  type BpfMap,
  createMap,
  HashMap,
  IdArray,
  MapError,
  type MapOptions,
  openMap,
  openMapByBtf,
  sum,
} from '../src/index.ts';

const bytesOf = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const toNumber = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
/** The feature of a type, as this package makes one. */
const feature = (type: MapType, options: MapOptions) => mapType(type, (): BpfMap => createMap(options));

kernelTest(hashMap, 'a HashMap behaves like a map of bytes', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 3, name: 'maps_test' });
  assert.equal(map.get(bytesOf(1)), undefined);
  assert.equal(map.has(bytesOf(1)), false);
  assert.equal(map.set(bytesOf(1), bytesOf(11)), true);
  assert.equal(map.set(bytesOf(1), bytesOf(12), 'noexist'), false);
  assert.equal(map.set(bytesOf(2), bytesOf(22), 'exist'), false);
  assert.deepEqual(map.get(bytesOf(1)), bytesOf(11));
  assert.equal(map.has(bytesOf(1)), true);
  map.set(bytesOf(2), bytesOf(22));
  map.set(bytesOf(3), bytesOf(33));
  assert.equal(map.size, 3);
  assert.throws(() => map.set(bytesOf(4), bytesOf(44)), { code: 'E2BIG' });
  assert.equal(map.delete(bytesOf(2)), true);
  assert.equal(map.delete(bytesOf(2)), false);
  assert.deepEqual([...map].map(([, value]) => toNumber(value)).sort(), [11, 33]);
  assert.throws(() => map.set(bytesOf(1), new Uint8Array(3)), { name: 'RangeError', message: /the value has 3 bytes/ });
  assert.throws(() => map.get(new Uint8Array(5)), { name: 'RangeError', message: /the key has 5 bytes/ });
  // What the kernel says of the descriptor agrees.
  const fdinfo = readFileSync(`/proc/self/fdinfo/${map.fd}`, 'utf8');
  assert.match(fdinfo, /map_type:\t1\nkey_size:\t4\nvalue_size:\t4\nmax_entries:\t3\n/);
});

const Task = struct({ pid: u32, comm: char(16), seen: u64 });

for (const type of ['hash', 'lru_hash', 'rhash'] as const) {
  const options = { type, key: u32, value: Task, maxEntries: 1000, name: 'typed' } as const;
  kernelTest(feature(type, options), 'typed keys and values, and all that a map does', () => {
    using map = createMap(options);
    const value = (pid: number) => ({ pid, comm: `task ${pid}`, seen: BigInt(pid) });
    for (let pid = 0; pid < 100; pid++) assert.equal(map.set(pid, value(pid), 'noexist'), true);
    assert.deepEqual(map.get(7), value(7));
    assert.equal(map.get(100), undefined);
    assert.deepEqual(new Map(map), new Map(Array.from({ length: 100 }, (_, pid) => [pid, value(pid)])));
    assert.deepEqual([...map.keys()].sort((a, b) => a - b).slice(0, 3), [0, 1, 2]);
    assert.equal([...map.values()].length, 100);
    assert.equal(map.delete(7), true);
    assert.equal(map.size, 99);
    map.clear();
    assert.equal(map.size, 0);
    // @ts-expect-error a field is missing
    assert.throws(() => map.set(1, { pid: 1, comm: 'x' }), { name: 'BtfError', message: /seen: it is missing/ });
    assert.throws(() => map.set(1, { ...value(1), comm: 'sixteen letters!!' }), { name: 'BtfError' });
    assert.equal(map.size, 0);
  });
}

const takesEntries = mapOperation('hash', 'lookup_and_delete', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 2 });
  map.getAndDelete(1);
});

kernelTest(takesEntries, 'getAndDelete takes an entry', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 2 });
  map.set(1, 11n);
  assert.equal(map.getAndDelete(1), 11n);
  assert.equal(map.getAndDelete(1), undefined);
});

kernelTest(hashMap, 'entries can be deleted and added while they are gone through', () => {
  using map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 20_000 });
  for (let n = 0; n < 5000; n++) map.set(n, n);
  const seen = new Set<number>();
  for (const [key] of map) {
    seen.add(key);
    map.delete(key);
    map.set(key + 10_000, 0);
  }
  for (let n = 0; n < 5000; n++) assert.ok(seen.has(n), `${n} was not seen`);
});

kernelTest(arrayMap, 'an ArrayMap has a length and knows its bounds', () => {
  using map = createMap({ type: 'array', value: u32, maxEntries: 3, name: 'array_test' });
  assert.equal(map.length, 3);
  map.set(2, 7);
  assert.deepEqual(
    [...map],
    [
      [0, 0],
      [1, 0],
      [2, 7],
    ],
  );
  for (const bad of [-1, 3, 0.5, 2 ** 32]) {
    const message = `index ${bad} is outside array map 'array_test', which has 3 values`;
    assert.throws(() => map.get(bad), { name: 'RangeError', message });
    assert.throws(() => map.set(bad, 0), { name: 'RangeError', message });
  }
});

kernelTest(arrayMap, 'the values of a mmapable array are live, and gone after close', () => {
  using map = createMap({ type: 'array', value: u64, maxEntries: 600, flags: ['mmapable'] });
  using live = map.mmap();
  assert.equal(live.stride, 8);
  map.set(599, 2n ** 40n + 5n);
  assert.equal(live.u64[599], 2n ** 40n + 5n);
  assert.equal(live.u32[599 * 2], 5);
  live.u64[3] = 33n;
  assert.equal(map.get(3), 33n);
  const { u32: words } = live;
  live.close();
  assert.throws(() => live.bytes, TypeError);
  assert.equal(words[0], 0);
  using plain = createMap({ type: 'array', value: u64, maxEntries: 1 });
  assert.throws(() => plain.mmap(), /create it with the flag 'mmapable'/);
});

for (const type of ['percpu_hash', 'lru_percpu_hash'] as const)
  kernelTest(feature(type, { type, key: u32, value: u32, maxEntries: 10 }), 'a value for each possible CPU', () => {
    using map = createMap({ type, key: u32, value: u32, maxEntries: 10 });
    const values = Array.from({ length: possibleCpus() }, (_, cpu) => cpu + 1);
    map.set(1, values);
    assert.deepEqual(map.get(1), values);
    assert.equal(sum(map.get(1) ?? []), (values.length * (values.length + 1)) / 2);
    assert.deepEqual([...map], [[1, values]]);
    assert.throws(() => map.set(1, []), /there are 0 values, and this machine has/);
  });

kernelTest(
  feature('percpu_array', { type: 'percpu_array', value: u64, maxEntries: 3 }),
  'a value for each possible CPU',
  () => {
    using map = createMap({ type: 'percpu_array', value: struct({ a: u8, b: u16 }), maxEntries: 3 });
    const values = Array.from({ length: possibleCpus() }, (_, cpu) => ({ a: cpu, b: cpu + 1 }));
    map.set(2, values);
    assert.deepEqual(map.get(2), values);
    assert.equal([...map].length, 3);
  },
);

const Prefix = struct({ prefixlen: u32, data: array(u8, 4) });
kernelTest(
  feature('lpm_trie', { type: 'lpm_trie', key: Prefix, value: u32, maxEntries: 10 }),
  'finds the longest prefix',
  () => {
    using map = createMap({ type: 'lpm_trie', key: Prefix, value: u32, maxEntries: 10 });
    map.set({ prefixlen: 8, data: [10, 0, 0, 0] }, 1);
    map.set({ prefixlen: 16, data: [10, 1, 0, 0] }, 2);
    assert.equal(map.get({ prefixlen: 32, data: [10, 1, 2, 3] }), 2);
    assert.equal(map.get({ prefixlen: 32, data: [10, 9, 2, 3] }), 1);
    assert.equal(map.get({ prefixlen: 32, data: [11, 9, 2, 3] }), undefined);
    assert.equal(map.size, 2);
    // Of this type the kernel has no such operation.
    assert.throws(() => map.getAndDelete({ prefixlen: 8, data: [10, 0, 0, 0] }), { code: /^(ENOTSUPP|EINVAL)$/ });
    assert.equal(map.delete({ prefixlen: 8, data: [10, 0, 0, 0] }), true);
    assert.equal(map.delete({ prefixlen: 8, data: [10, 0, 0, 0] }), false);
  },
);

for (const [type, order] of [
  ['queue', [1, 2]],
  ['stack', [2, 1]],
] as const)
  kernelTest(feature(type, { type, value: u32, maxEntries: 2 }), 'pushes, peeks and pops', () => {
    using map = createMap({ type, value: u32, maxEntries: 2 });
    assert.equal(map.pop(), undefined);
    assert.equal(map.push(1), true);
    assert.equal(map.push(2), true);
    assert.equal(map.push(3), false);
    assert.equal(map.peek(), order[0]);
    assert.deepEqual([map.pop(), map.pop(), map.pop()], [...order, undefined]);
    map.push(1);
    map.push(2);
    assert.equal(map.push(3, { evict: true }), true);
    // @ts-expect-error it has no keys
    assert.equal(map.get, undefined);
  });

kernelTest(
  feature('bloom_filter', { type: 'bloom_filter', value: u64, maxEntries: 10 }),
  'never says no to what was added',
  () => {
    using map = createMap({ type: 'bloom_filter', value: u64, maxEntries: 100, hashes: 3 });
    for (let n = 0; n < 50; n++) map.add(n as never);
    for (let n = 0; n < 50; n++) assert.equal(map.mayHave(n as never), true);
    const wrong = Array.from({ length: 100 }, (_, n) => map.mayHave(BigInt(n + 1000))).filter(Boolean).length;
    assert.ok(wrong < 50, `${wrong} of 100 that were never added`);
  },
);

kernelTest(bpfSyscall, 'maps of maps hold maps, and say which', () => {
  using inner = createMap({ type: 'array', value: u32, maxEntries: 1 });
  using map = createMap({ type: 'array_of_maps', innerMap: inner, maxEntries: 2 });
  assert.equal(map.get(1), undefined);
  map.set(1, inner);
  assert.equal(map.get(1), inner.info.id);
  assert.equal(map.delete(1), true);
  using named = createMap({ type: 'hash_of_maps', key: u32, innerMap: inner, maxEntries: 2 });
  named.set(5, inner);
  assert.equal(named.get(5), inner.info.id);
  assert.deepEqual([...named.keys()], [5]);
  using again = openMap({ id: named.get(5) ?? 0, type: 'array', value: u32 });
  assert.equal(again.info.id, inner.info.id);
});

kernelTest(bpfSyscall, 'a prog_array holds programs', () => {
  using map = createMap({ type: 'prog_array', maxEntries: 2 });
  const insns = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  using prog = progLoad({ type: 'socket_filter', insns, license: 'GPL' });
  map.set(1, prog);
  assert.ok((map.get(1) ?? 0) > 0);
  assert.equal(map.get(0), undefined);
  assert.equal(map.delete(1), true);
  assert.equal(map.delete(1), false);
  assert.throws(() => map.set(0, map), { code: 'EINVAL' });
});

/** What is only made here: the older storage of cgroups, which programs have to use, and the jump tables of programs. */
const others: readonly MapOptions[] = [
  { type: 'inode_storage', valueSize: 12 },
  { type: 'cgroup_storage', keySize: 8, valueSize: 8, maxEntries: 0 },
  { type: 'percpu_cgroup_storage', keySize: 8, valueSize: 8, maxEntries: 0 },
  { type: 'insn_array', keySize: 4, valueSize: 16, maxEntries: 2 },
];
for (const options of others)
  kernelTest(feature(options.type as MapType, options), 'is created with its operations', () => {
    using map: BpfMap = createMap(options);
    assert.equal(map.info.type, options.type);
  });

// Without BPF among the security modules, inodes have no room for it.
const storesInInodes = mapOperation('inode_storage', 'update', () => {
  using map = createMap({ type: 'inode_storage', value: u32 });
  using owner = fileOpen('/proc/self/status', O_RDONLY);
  map.set(owner, 5);
});

kernelTest(storesInInodes, 'a value of a file', () => {
  using map = createMap({ type: 'inode_storage', value: u32 });
  using owner = fileOpen('/proc/self/status', O_RDONLY);
  using same = fileOpen('/proc/self/status', O_RDONLY);
  assert.equal(map.get(owner), undefined);
  assert.equal(map.set(owner, 5, 'exist'), false);
  assert.equal(map.set(owner, 5), true);
  assert.equal(map.get(same), 5);
  assert.equal(map.delete(owner), true);
  assert.equal(map.delete(owner), false);
});

kernelTest(hashMap, 'opening checks what the map is, by id, by path and by descriptor', () => {
  const options = { type: 'hash', key: u32, value: Task, maxEntries: 3, name: 'open_me' } as const;
  using map = createMap(options);
  map.set(1, { pid: 1, comm: 'init', seen: 1n });
  using again = openMap({ id: map.info.id, type: 'hash', key: u32, value: Task });
  assert.deepEqual(again.get(1), map.get(1));
  const is = (field: string, message: RegExp) => (error: unknown) =>
    error instanceof MapError && error.code === 'MISMATCH' && error.field === field && message.test(error.message);
  assert.throws(
    () => openMap({ id: map.info.id, type: 'hash', valueSize: 16 }),
    is('valueSize', /valueSize 32, not 16/),
  );
  assert.throws(() => openMap({ id: map.info.id, type: 'array' }), is('type', /'open_me' has type hash, not array/));
  const Wrong = struct({ pid: u32, name: char(16), seen: u64 });
  if (map.info.btfId !== 0)
    assert.throws(
      () => openMap({ id: map.info.id, type: 'hash', key: u32, value: Wrong }),
      is('value', /name: the schema has it/),
    );
  withBpffs((folder) => {
    const path = join(folder, 'map');
    map.pin(path);
    using pinned = openMap({ path, type: 'hash', key: u32, value: Task });
    assert.deepEqual(pinned.get(1), map.get(1));
    assert.throws(() => openMap({ path: join(folder, 'none'), type: 'hash' }), { code: 'ENOENT' });
  });
  assert.throws(() => map.pin(join(tmpdir(), `bpf-maps-test-${process.pid}`)), {
    code: 'EPERM',
    message: /not on a bpffs/,
  });
});

kernelTest(hashMap, "a map's own BTF decodes its keys and values", () => {
  using map = createMap({ type: 'hash', key: u32, value: Task, maxEntries: 3 });
  map.set(1, { pid: 1, comm: 'init', seen: 1n });
  using any = openMapByBtf({ id: map.info.id });
  assert.ok(any instanceof HashMap);
  assert.deepEqual([...any], [[1, { pid: 1, comm: 'init', seen: 1n }]]);
  using plain = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 3 });
  assert.throws(() => openMapByBtf({ id: plain.info.id }), { code: 'NO_BTF' });
});

kernelTest(bpfSyscall, 'a program is not taken for a map, nor a map used after close', () => {
  const insns = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  const prog = progLoad({ type: 'socket_filter', insns, license: 'GPL' });
  assert.throws(() => openMap({ fd: prog.disown(), type: 'hash' }), {
    name: 'TypeError',
    message: /is a prog, not a map/,
  });
  const map = createMap({ type: 'hash', key: bytes(4), value: u64, maxEntries: 1 });
  map.close();
  map.close();
  for (const use of [() => map.get(bytesOf(1)), () => map.set(bytesOf(1), 1n), () => [...map], () => map.fd])
    assert.throws(use, { name: 'TypeError', message: /closed/ });
});

kernelTest(hashMap, 'a frozen map, and one that another made', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 1 });
  map.freeze();
  assert.throws(() => map.set(1, 1n), { code: 'EPERM', message: /is frozen or not open for this/ });
  using raw = mapCreate({ type: 'prog_array', keySize: 4, valueSize: 4, maxEntries: 1 });
  using opened = openMap({ id: raw.info.id, type: 'prog_array' });
  assert.ok(opened instanceof IdArray);
  assert.throws(() => mapUpdateElem(raw, new Uint8Array(4), bytesOf(map.fd)), { code: 'EINVAL' });
});
