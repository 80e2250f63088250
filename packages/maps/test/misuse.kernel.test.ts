// What is no key, value, index, descriptor or size is refused with a sentence, before anything is written.
import assert from 'node:assert/strict';
import { array, char, struct, u8, u32, u64 } from '@bpf/btf/data';
import { arrayMap, bpfSyscall, hashMap } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { type BpfMap, createMap, openMap } from '../src/index.ts';

/** What JavaScript may pass, whatever the types say: none of it is an unsigned integer of 32 bits. */
const notIntegers: readonly unknown[] = [
  ...[undefined, null, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, '1', true, Symbol('x')],
  ...[{}, [1], new Uint8Array(4), new ArrayBuffer(4), () => 1, { fd: 'x' }],
];
/** None of it is four bytes. */
const notFourBytes: readonly unknown[] = [
  ...[undefined, null, 0, 1n, 'abcd', true, {}, [1, 2, 3, 4], new Float32Array(1), new ArrayBuffer(4), { length: 4 }],
  ...[0, 3, 5, 8].map((length) => new Uint8Array(length)),
];
/** None of it owns a descriptor. */
const notOwners: readonly unknown[] = [
  ...[undefined, null, -1, 0.5, Number.NaN, 'x', {}, [], { fd: -1 }, { fd: 0.5 }, { fd: Number.NaN }, { fd: '3' }],
  ...[{ fd: undefined }, { fd: 2 ** 32 }],
];

const NAMES = ['RangeError', 'TypeError', 'BtfError'];

/** Each is refused by an error of this side, and never by the kernel. */
function refuses(what: string, bad: readonly unknown[], use: (value: never) => unknown): void {
  for (const value of bad) {
    const said = `${what} with ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`;
    assert.throws(
      () => use(value as never),
      (error: Error) => NAMES.includes(error.name) && error.message !== '',
      said,
    );
  }
}

kernelTest(hashMap, 'keys and values that are none leave a hash as it was', () => {
  const Value = struct({ kind: u8, name: char(4), count: u64 });
  using typed = createMap({ type: 'hash', key: u32, value: Value, maxEntries: 2 });
  const value = { kind: 1, name: 'x', count: 1n };
  typed.set(1, value);
  refuses('get', notIntegers, (key) => typed.get(key));
  refuses('has', notIntegers, (key) => typed.has(key));
  refuses('delete', notIntegers, (key) => typed.delete(key));
  refuses('getAndDelete', notIntegers, (key) => typed.getAndDelete(key));
  refuses('set of a key', notIntegers, (key) => typed.set(key, value));
  refuses('set of a value', notIntegers, (bad) => typed.set(1, bad));
  for (const [field, bad] of [
    ['kind', [256, ...notIntegers]],
    ['count', [-1n, 2n ** 64n, -1, 0.5, '1', undefined, null]],
    ['name', ['fives', 5, undefined, null]],
  ] as const)
    refuses(`set of ${field}`, bad, (part) => typed.set(1, { ...value, [field]: part }));
  const misspelt = ['noexists', 'NOEXIST', '', 'constructor', 1, undefined];
  refuses('set with a flag', misspelt, (flag) => typed.set(1, { ...value, count: 2n }, flag));
  assert.deepEqual([...typed], [[1, value]]);

  using raw = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 2 });
  const four = Uint8Array.of(1, 2, 3, 4);
  raw.set(four, four);
  refuses('get', notFourBytes, (key) => raw.get(key));
  refuses('delete', notFourBytes, (key) => raw.delete(key));
  refuses('set of a key', notFourBytes, (key) => raw.set(key, four));
  refuses('set of a value', notFourBytes, (bad) => raw.set(four, bad));
  assert.deepEqual([...raw], [[four, four]]);
});

kernelTest(arrayMap, 'indexes and values that are none leave arrays, queues and filters as they were', () => {
  using array = createMap({ type: 'array', value: u32, maxEntries: 2 });
  refuses('get', [2, ...notIntegers], (index) => array.get(index));
  refuses('set at an index', [2, ...notIntegers], (index) => array.set(index, 7));
  refuses('set of a value', notIntegers, (value) => array.set(0, value));
  assert.deepEqual([...array.values()], [0, 0]);
  using perCpu = createMap({ type: 'percpu_array', value: u32, maxEntries: 1 });
  refuses('set for each CPU', [[], [1, 2, 3, -1], ...notIntegers], (values) => perCpu.set(0, values));
  assert.ok(perCpu.get(0).every((value) => value === 0));
  using queue = createMap({ type: 'queue', value: u32, maxEntries: 2 });
  refuses('push', notIntegers, (value) => queue.push(value));
  assert.equal(queue.peek(), undefined);
});

kernelTest(bpfSyscall, 'what owns no descriptor goes into no map', () => {
  using inner = createMap({ type: 'array', value: u32, maxEntries: 1 });
  using programs = createMap({ type: 'prog_array', maxEntries: 1 });
  using maps = createMap({ type: 'hash_of_maps', key: u32, innerMap: inner, maxEntries: 1 });
  using sockets = createMap({ type: 'sockmap', maxEntries: 1 });
  using storage = createMap({ type: 'sk_storage', value: u32 });
  using devices = createMap({ type: 'devmap', valueSize: 8, maxEntries: 1 });
  refuses('prog_array', notOwners, (owner) => programs.set(0, owner));
  refuses('hash_of_maps', notOwners, (owner) => maps.set(1, owner));
  refuses('hash_of_maps', notIntegers, (key) => maps.set(key, inner));
  refuses('sockmap', notOwners, (owner) => sockets.set(0, owner));
  refuses('storage', notOwners, (owner) => storage.set(owner, 1));
  refuses('storage', notOwners, (owner) => storage.get(owner));
  refuses('storage', notOwners, (owner) => storage.delete(owner));
  refuses('devmap', notIntegers, (target) => devices.set(0, target));
  const notPrograms = notOwners.filter((owner) => owner !== undefined);
  refuses('the program of a devmap', notPrograms, (prog) => devices.set(0, 1, prog));
  assert.deepEqual(
    [programs.get(0), sockets.get(0), devices.get(0), [...maps.keys()]],
    [undefined, undefined, undefined, []],
  );
  // A descriptor of another kind is for the kernel to tell.
  for (const use of [() => programs.set(0, inner), () => maps.set(1, programs), () => storage.set(inner, 1)])
    assert.throws(use, { name: 'SysError' });
});

kernelTest(bpfSyscall, 'sizes and places that are none make and open no map', () => {
  const hash = { type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1 } as const;
  const make = (options: object): void => createMap({ ...hash, ...options } as typeof hash).close();
  // What is left out is 0 to the kernel, which has a sentence for it.
  const sizes = notIntegers.filter((size) => size !== undefined && size !== null);
  for (const field of ['keySize', 'valueSize', 'maxEntries'] as const) {
    refuses(field, sizes, (size) => make({ [field]: size }));
    assert.throws(() => make({ [field]: 0 }), { name: 'SysError', message: new RegExp(`\\(${field}\\)$`) });
  }
  refuses('type', [...sizes, 'heap', 'toString'], (type) => make({ type }));
  refuses('name', ['sixteen_letters__', 'a b', 'ä', 5, {}], (name) => make({ name }));
  refuses('flags', [['mmap'], ['constructor'], [-1], 5, {}], (flags) => make({ flags }));
  assert.throws(() => createMap({ type: 'array_of_maps', innerMap: { fd: 0 }, maxEntries: 1 }), {
    code: /^(EINVAL|EBADF|ENOTSUPP)$/,
  });
  refuses('open by id', sizes, (id) => openMap({ id, type: 'hash' }));
  refuses('open by descriptor', sizes, (fd) => openMap({ fd, type: 'hash' }));
  refuses('open by path', [5, {}, [], null, 'a\0b'], (path) => openMap({ path, type: 'hash' }));
});

const closed: readonly (() => readonly [BpfMap, ...(() => unknown)[]])[] = [
  () => {
    const map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 1 });
    return [
      map,
      () => map.get(1),
      () => map.set(1, 1),
      () => map.delete(1),
      () => map.has(1),
      () => [...map],
      () => map.size,
      () => map.clear(),
      () => map.getAndDelete(1),
    ];
  },
  () => {
    const map = createMap({ type: 'array', value: u32, maxEntries: 1, flags: ['mmapable'] });
    return [map, () => map.get(0), () => map.set(0, 1), () => [...map], () => map.mmap()];
  },
  () => {
    const map = createMap({ type: 'queue', value: u32, maxEntries: 1 });
    return [map, () => map.push(1), () => map.peek(), () => map.pop()];
  },
  () => {
    const map = createMap({ type: 'prog_array', maxEntries: 1 });
    return [map, () => map.set(0, { fd: 0 }), () => map.get(0), () => map.delete(0)];
  },
  () => {
    const map = createMap({ type: 'sockhash', key: u32, maxEntries: 1 });
    return [map, () => map.set(0, { fd: 0 }), () => map.get(0), () => map.delete(0), () => [...map.keys()]];
  },
  () => {
    const map = createMap({ type: 'devmap', maxEntries: 1 });
    return [map, () => map.set(0, 1), () => map.get(0), () => map.delete(0)];
  },
  () => {
    const map = createMap({ type: 'sk_storage', value: u32 });
    return [map, () => map.set({ fd: 0 }, 1), () => map.get({ fd: 0 }), () => map.delete({ fd: 0 })];
  },
  () => {
    const map = createMap({ type: 'stack_trace', maxEntries: 1 });
    return [map, () => map.get(1), () => map.delete(1), () => [...map.keys()]];
  },
  () => {
    const map = createMap({ type: 'ringbuf', bytes: 4096 });
    return [map, () => map.records(), () => map.available(), () => map.drain(() => {})];
  },
];

kernelTest(bpfSyscall, 'nothing is used after close', () => {
  for (const make of closed) {
    const [map, ...uses] = make();
    map.close();
    map.close();
    for (const use of [...uses, () => map.fd, () => map.freeze(), () => map.pin('/nowhere')])
      assert.throws(use, { name: 'TypeError', message: /closed/ }, `${map.info.type}: ${use}`);
  }
});

kernelTest(hashMap, 'a getter of a key or value may use the map, and close it', () => {
  const Pair = struct({ a: u32, b: u32 });
  using map = createMap({ type: 'hash', key: Pair, value: Pair, maxEntries: 8 });
  const other = { a: 7, b: 77 };
  map.set({ a: 2, b: 2 }, other);
  const meddling = {
    a: 1,
    get b() {
      assert.deepEqual(map.get({ a: 2, b: 2 }), other);
      return 5;
    },
  };
  map.set(meddling, meddling);
  assert.deepEqual(map.get({ a: 1, b: 5 }), { a: 1, b: 5 });

  using numbers = createMap({ type: 'hash', key: u32, value: Pair, maxEntries: 8 });
  numbers.set(2, other);
  numbers.set(1, { a: 1, b: numbers.has(2) ? 5 : 0 });
  const reading = {
    a: 1,
    get b() {
      return numbers.get(2)?.b ?? 0;
    },
  };
  numbers.set(3, reading);
  assert.deepEqual(numbers.get(3), { a: 1, b: 77 });

  // Larger than the memory that is kept for the next map: it is given back when the map is closed.
  const Large = struct({ a: u32, rest: array(u32, 50_000) });
  const large = createMap({ type: 'array', value: Large, maxEntries: 1 });
  const closing = {
    get a() {
      large.close();
      return 1;
    },
    rest: Array.from({ length: 50_000 }, () => 7),
  };
  assert.throws(() => large.set(0, closing), { name: 'TypeError', message: /closed/ });
});
