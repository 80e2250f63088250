import assert from 'node:assert/strict';
import { bpfSyscall, mapOperation, mapType } from '../../../tooling/kernel-test/features.ts';
import { type Feature, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  btfLoad,
  type MapCreateOptions,
  type MapFd,
  type MapType,
  mapCreate,
  mapDeleteBatch,
  mapDeleteElem,
  mapGetNextKey,
  mapLookupAndDeleteBatch,
  mapLookupAndDeleteElem,
  mapLookupBatch,
  mapLookupElem,
  mapUpdateBatch,
  mapUpdateElem,
  possibleCpus,
  SysError,
} from '../src/index.ts';

const u32 = (...n: number[]): Uint8Array => new Uint8Array(Uint32Array.from(n).buffer);
const u64 = (...n: number[]): Uint8Array => new Uint8Array(BigUint64Array.from(n, BigInt).buffer);
const none = new Uint8Array(0);
const lookup = (map: MapFd, key: Uint8Array): Uint8Array | undefined => {
  const value = new Uint8Array(map.valueBytes);
  return mapLookupElem(map, key, value) ? value : undefined;
};

/** How a map of each type is made. Those that are not here want more than sizes, and have tests of their own below. */
const simple: Partial<Record<MapType, Partial<MapCreateOptions>>> = {
  hash: {},
  array: {},
  percpu_hash: {},
  percpu_array: {},
  lru_hash: {},
  lru_percpu_hash: {},
  lpm_trie: { keySize: 8, flags: ['no_prealloc'] },
  queue: { keySize: 0 },
  stack: { keySize: 0 },
  bloom_filter: { keySize: 0 },
  prog_array: { valueSize: 4 },
  perf_event_array: { valueSize: 4 },
  cgroup_array: { valueSize: 4 },
  stack_trace: { valueSize: 8 },
  devmap: { valueSize: 4 },
  devmap_hash: { valueSize: 4 },
  cpumap: { valueSize: 4 },
  xskmap: { valueSize: 4 },
  sockmap: { valueSize: 4 },
  sockhash: { valueSize: 4 },
  reuseport_sockarray: { valueSize: 8 },
  ringbuf: { keySize: 0, valueSize: 0, maxEntries: 4096 },
  user_ringbuf: { keySize: 0, valueSize: 0, maxEntries: 4096 },
  arena: { keySize: 0, valueSize: 0, maxEntries: 1, flags: ['mmapable'] },
  insn_array: { valueSize: 16 },
  rhash: { flags: ['no_prealloc'] },
};

const make = (type: MapType, more: Partial<MapCreateOptions> = {}): MapFd =>
  mapCreate({ type, keySize: 4, valueSize: 8, maxEntries: 4, ...simple[type], ...more });

for (const type of Object.keys(simple) as MapType[])
  kernelTest(mapType(type, make), 'is created, with its sizes', () => {
    using map = make(type, { name: 'types' });
    assert.equal(map.info.type, type);
    assert.equal(map.info.name, 'types');
    assert.equal(map.info.keySize, simple[type]?.keySize ?? 4);
    assert.equal(map.info.valueSize, simple[type]?.valueSize ?? 8);
  });

for (const type of ['hash', 'lru_hash', 'rhash'] as const)
  kernelTest(mapType(type, make), 'flags', () => {
    using map = make(type);
    assert.equal(mapUpdateElem(map, u32(1), u64(11), BPF_EXIST), false);
    assert.equal(mapUpdateElem(map, u32(1), u64(11), BPF_NOEXIST), true);
    assert.equal(mapUpdateElem(map, u32(1), u64(12), BPF_NOEXIST), false);
    assert.deepEqual(lookup(map, u32(1)), u64(11));
  });

for (const type of ['hash', 'lru_hash', 'rhash'] as const) {
  const takes = mapOperation(type, 'lookup_and_delete', () => {
    using map = make(type);
    mapLookupAndDeleteElem(map, u32(1), new Uint8Array(8));
  });
  kernelTest(takes, 'a lookup that deletes', () => {
    using map = make(type);
    mapUpdateElem(map, u32(1), u64(11));
    const out = new Uint8Array(8);
    assert.equal(mapLookupAndDeleteElem(map, u32(1), out), true);
    assert.deepEqual(out, u64(11));
    assert.equal(mapLookupAndDeleteElem(map, u32(1), out), false);
  });
}

for (const type of ['percpu_hash', 'percpu_array', 'lru_percpu_hash'] as const)
  kernelTest(mapType(type, make), 'a value is one for each possible CPU, each rounded up to 8 bytes', () => {
    const cpus = possibleCpus();
    using map = make(type, { valueSize: 4 });
    assert.equal(map.valueBytes, 8 * cpus);
    const values = u64(...Array.from({ length: cpus }, (_, cpu) => cpu + 1));
    mapUpdateElem(map, u32(1), values);
    assert.deepEqual(lookup(map, u32(1)), values);
    assert.throws(() => mapUpdateElem(map, u32(1), new Uint8Array(4)), RangeError);
    assert.throws(() => mapLookupElem(map, u32(1), new Uint8Array(4)), RangeError);
  });

kernelTest(mapType('lpm_trie', make), 'finds the longest prefix', () => {
  using map = make('lpm_trie');
  const prefix = (bits: number, a: number, b: number): Uint8Array => Uint8Array.of(bits, 0, 0, 0, a, b, 0, 0);
  mapUpdateElem(map, prefix(8, 10, 0), u64(1));
  mapUpdateElem(map, prefix(16, 10, 1), u64(2));
  assert.deepEqual(lookup(map, prefix(32, 10, 1)), u64(2));
  assert.deepEqual(lookup(map, prefix(32, 10, 2)), u64(1));
  assert.equal(lookup(map, prefix(32, 11, 2)), undefined);
});

for (const [type, first] of [
  ['queue', 1],
  ['stack', 2],
] as const)
  kernelTest(mapType(type, make), 'pushes, peeks and pops', () => {
    using map = make(type);
    assert.equal(lookup(map, none), undefined);
    mapUpdateElem(map, none, u64(1));
    mapUpdateElem(map, none, u64(2));
    assert.deepEqual(lookup(map, none), u64(first));
    const out = new Uint8Array(8);
    assert.equal(mapLookupAndDeleteElem(map, none, out), true);
    assert.deepEqual(out, u64(first));
    assert.equal(mapLookupAndDeleteElem(map, none, out), true);
    assert.equal(mapLookupAndDeleteElem(map, none, out), false);
    assert.throws(() => mapUpdateElem(map, u32(1), u64(1)), RangeError);
  });

kernelTest(mapType('bloom_filter', make), 'says of a value whether it may be in it', () => {
  using map = make('bloom_filter', { maxEntries: 1000, mapExtra: 3 });
  assert.equal(map.info.mapExtra, 3n);
  mapUpdateElem(map, none, u64(7));
  assert.equal(mapLookupElem(map, none, u64(7)), true);
  const wrong = Array.from({ length: 100 }, (_, i) => mapLookupElem(map, none, u64(1000 + i))).filter(Boolean).length;
  assert.ok(wrong < 20, `${wrong} of 100 that were never added`);
});

for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
  const outer = (): MapFd => {
    using inner = make('array');
    return make(type, { valueSize: 4, innerMap: inner });
  };
  kernelTest(mapType(type, outer), 'holds maps: one goes in by descriptor and comes out by id', () => {
    using inner = make('array');
    using map = outer();
    mapUpdateElem(map, u32(1), u32(inner.fd));
    assert.deepEqual(lookup(map, u32(1)), u32(inner.info.id));
    assert.equal(mapDeleteElem(map, u32(1)), true);
  });
}

/** BTF of `u32`, and of `struct { u32 value; }`, as the storages want it. */
const types = Uint8Array.from(
  Buffer.from(
    // header; int u32; end; strings
    [
      '9feb010018000000',
      '0000000010000000',
      '1000000005000000',
      '01000000',
      '00000001',
      '04000000',
      '20000000',
      '0075333200',
    ].join(''),
    'hex',
  ),
);
for (const type of ['sk_storage', 'inode_storage', 'task_storage', 'cgrp_storage'] as const) {
  const storage = (): MapFd => {
    using btf = btfLoad(types);
    const more = { btf, btfKeyTypeId: 1, btfValueTypeId: 1, valueSize: 4, maxEntries: 0 };
    return make(type, { ...more, flags: ['no_prealloc'] });
  };
  kernelTest(mapType(type, storage), 'is created with its types', () => {
    using map = storage();
    assert.equal(map.info.btfValueTypeId, 1);
    assert.notEqual(map.info.btfId, 0);
  });
}

for (const type of ['cgroup_storage', 'percpu_cgroup_storage'] as const)
  kernelTest(
    mapType(type, () => make(type, { keySize: 8, maxEntries: 0 })),
    'is created',
    () => {
      using map = make(type, { keySize: 8, maxEntries: 0 });
      assert.equal(map.info.type, type);
    },
  );

/** A batch of one entry that is not there. */
const batches = (type: MapType): Feature =>
  mapOperation(type, 'batch', () => {
    using map = make(type);
    mapLookupBatch(map, new Uint8Array(map.info.keySize * 8), new Uint8Array(map.valueBytes * 8));
  });

for (const type of ['hash', 'array', 'lru_hash', 'percpu_hash', 'lpm_trie', 'rhash'] as const)
  kernelTest(batches(type), 'everything comes once, and goes', () => {
    const count = 1000;
    // An LRU map drops entries before it is full: each CPU has its own list of free ones.
    using map = make(type, { maxEntries: type === 'lru_hash' ? count * 10 : count });
    const { keySize } = map.info;
    const size = map.valueBytes;
    const keys = new Uint8Array(count * keySize);
    const values = new Uint8Array(count * size);
    for (let i = 0; i < count; i++) {
      const key = type === 'lpm_trie' ? u32(32, i) : u32(i);
      keys.set(key, i * keySize);
      values.fill(i & 0xff, i * size, (i + 1) * size);
    }
    mapUpdateBatch(map, keys, values);
    const seen = new Map<number, number>();
    const [outKeys, outValues] = [new Uint8Array(128 * keySize), new Uint8Array(128 * size)];
    let cursor: Uint8Array | undefined;
    do {
      const batch = mapLookupBatch(map, outKeys, outValues, cursor);
      const view = new DataView(outKeys.buffer);
      for (let i = 0; i < batch.count; i++)
        seen.set(view.getUint32(i * keySize + keySize - 4, true), outValues[i * size] as number);
      cursor = batch.cursor;
    } while (cursor);
    assert.equal(seen.size, count);
    for (const [key, value] of seen) assert.equal(value, key & 0xff);
    if (type === 'array') {
      assert.throws(() => mapDeleteBatch(map, keys), { code: 'ENOTSUPP' });
      return;
    }
    const absent = keys.slice(0, keySize * 3);
    assert.equal(mapDeleteElem(map, absent.slice(keySize, 2 * keySize)), true);
    assert.equal(mapDeleteBatch(map, absent), 1);
    if (type === 'lpm_trie' || type === 'rhash') return;
    let taken = 0;
    for (let next: Uint8Array | undefined | null = null; next !== undefined; ) {
      const batch = mapLookupAndDeleteBatch(map, outKeys, outValues, next ?? undefined);
      taken += batch.count;
      next = batch.cursor;
    }
    assert.equal(taken, count - 2);
    assert.equal(mapGetNextKey(map, undefined, new Uint8Array(keySize)), false);
  });

kernelTest(mapType('hash', make), 'a batch that does not fit says how far it came', () => {
  using map = make('hash', { maxEntries: 2 });
  const keys = u32(1, 2, 3, 4);
  assert.throws(
    () => mapUpdateBatch(map, keys, new Uint8Array(32)),
    (error) =>
      error instanceof SysError && error.code === 'E2BIG' && error.count === 2 && /is full/.test(error.message),
  );
  assert.throws(() => mapUpdateBatch(map, keys, new Uint8Array(32), BPF_NOEXIST), RangeError);
  assert.throws(() => mapUpdateBatch(map, keys, new Uint8Array(31)), RangeError);
  assert.throws(() => mapUpdateBatch(map, keys.slice(1), new Uint8Array(32)), RangeError);
  assert.throws(() => mapLookupBatch(map, none, none), /no room for a single entry/);
  assert.throws(() => mapLookupBatch(map, u32(0), new Uint8Array(8), new Uint8Array(3)), /the cursor has 3 bytes/);
});

kernelTest(bpfSyscall, 'a type by number; what the kernel does not know says so', () => {
  using map = mapCreate({ type: 1, keySize: 4, valueSize: 8, maxEntries: 1 });
  assert.equal(map.info.type, 'hash');
  assert.throws(() => mapCreate({ type: 999, keySize: 4, valueSize: 8, maxEntries: 1 }), { code: 'EINVAL' });
  assert.throws(
    () => mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 5000 }),
    /a map of type ringbuf wants maxEntries, its bytes, to be a power of two and a multiple of the page size$/,
  );
  assert.throws(() => mapLookupElem(map, u32(1), new Uint8Array(8), BPF_F_LOCK), { code: 'EINVAL' });
});
