import { struct, u8, u32, u64 } from '@bpf/btf/data';
import type { MapFd } from '@bpf/sys';
import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import { bytesCodec, perCpuCodec, put, schemaCodec, take } from '../src/codec.ts';
import * as maps from '../src/index.ts';
import {
  type ArrayMap,
  createMap,
  type FdArray,
  type HashMap,
  MapError,
  max,
  min,
  type Queue,
  sum,
} from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(maps).sort()).toMatchInlineSnapshot(`
    [
      "ArrayMap",
      "BloomFilter",
      "BpfMap",
      "FdArray",
      "HashMap",
      "HashOfMaps",
      "IdArray",
      "MapError",
      "MappedArray",
      "PerfEventArray",
      "Queue",
      "RedirectArray",
      "RedirectHash",
      "RingBuffer",
      "SocketArray",
      "SocketHash",
      "StackTraceMap",
      "StorageMap",
      "UserRingBuffer",
      "createMap",
      "max",
      "min",
      "openMap",
      "openMapByBtf",
      "sum",
    ]
  `);
});

test('a mismatch names the field', () => {
  const error = new MapError('MISMATCH', 'valueSize', 'map 7 differs');
  expect(error).toMatchObject({ code: 'MISMATCH', field: 'valueSize', message: 'map 7 differs', name: 'MapError' });
});

test('the type of a map follows from its options', () => {
  const Value = struct({ a: u32, b: u64 });
  const hash = () => createMap({ type: 'hash', key: u32, value: Value, maxEntries: 1 });
  expectTypeOf(hash).returns.toEqualTypeOf<
    HashMap<number, { a: number; b: bigint }, number, { readonly a: number; readonly b: bigint }>
  >();
  const bytes = () => createMap({ type: 'lru_hash', keySize: 4, valueSize: 8, maxEntries: 1 });
  expectTypeOf(bytes).returns.toEqualTypeOf<HashMap<Uint8Array, Uint8Array, Uint8Array, Uint8Array>>();
  const perCpu = () => createMap({ type: 'percpu_array', value: u64, maxEntries: 1 });
  expectTypeOf(perCpu).returns.toEqualTypeOf<ArrayMap<bigint[], readonly bigint[]>>();
  const queue = () => createMap({ type: 'queue', value: u32, maxEntries: 1 });
  expectTypeOf(queue).returns.toEqualTypeOf<Queue<number, number>>();
  const fds = () => createMap({ type: 'xskmap', maxEntries: 1 });
  expectTypeOf(fds).returns.toEqualTypeOf<FdArray>();
});

test('the types hold what the kernel allows', () => {
  // @ts-expect-error the elements of an array cannot be deleted
  (map: ArrayMap) => map.delete(0);
  // @ts-expect-error the keys of an array are its indexes
  () => createMap({ type: 'array', keySize: 8, valueSize: 8, maxEntries: 1 });
  // @ts-expect-error a queue has no keys
  () => createMap({ type: 'queue', key: u32, value: u32, maxEntries: 1 });
  // @ts-expect-error a hash has keys
  () => createMap({ type: 'hash', value: u32, maxEntries: 1 });
  // @ts-expect-error either a schema or a size
  () => createMap({ type: 'hash', keySize: 4, value: u32, valueSize: 4, maxEntries: 1 });
  // @ts-expect-error what is in an xskmap cannot be read
  (map: FdArray) => map.get(0);
  // @ts-expect-error an unknown type
  () => createMap({ type: 'heap', keySize: 8, valueSize: 8, maxEntries: 1 });
});

/** As much of a map as keys and values are put into. */
function memoryOf(length: number): MapFd {
  const bytes = new Uint8Array(length);
  const part = { bytes, view: new DataView(bytes.buffer) };
  return { elem: { key: part, value: part } } as unknown as MapFd;
}

test('values go into memory and come out, padding being zero', () => {
  const record = schemaCodec(struct({ a: u8, b: u32 }));
  const bytes = put(record, memoryOf(8), 'value', { a: 1, b: 2 });
  expect(bytes).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
  const map = memoryOf(8);
  map.elem.value.bytes.set(bytes);
  expect(take(record, map)).toEqual({ a: 1, b: 2 });
  const raw = memoryOf(4);
  raw.elem.value.bytes.set([1, 2, 3, 4]);
  const copy = take(bytesCodec(4, 'key'), raw);
  raw.elem.value.bytes.fill(9);
  expect(copy).toEqual(Uint8Array.of(1, 2, 3, 4));
  const list = bytesCodec(4, 'key');
  expect(() => list.encode(new Uint8Array(3), new Uint8Array(8), new DataView(new ArrayBuffer(8)), 0)).toThrow(
    'the key has 3 bytes, and those of this map have 4',
  );
});

test('per-CPU values are at multiples of 8', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(0xff), { minLength: 1, maxLength: 9 }), (values) => {
      const codec = perCpuCodec(schemaCodec(u8), values.length);
      const map = memoryOf(codec.size);
      const bytes = put(codec, map, 'value', values);
      map.elem.value.bytes.set(bytes);
      expect(bytes).toEqual(Uint8Array.from(values.flatMap((value) => [value, 0, 0, 0, 0, 0, 0, 0])));
      expect(take(codec, map)).toEqual(values);
    }),
  );
});

test('sum, min and max, of numbers and of bigints', () => {
  expect([sum([1, 2, 3]), min([3, 1, 2]), max([3, 1, 2])]).toEqual([6, 1, 3]);
  expect([sum([1n, 2n]), min([2n, 1n]), max([2n, 1n])]).toEqual([3n, 1n, 2n]);
  expect([sum([]), min([]), max([])]).toEqual([0, undefined, undefined]);
});
