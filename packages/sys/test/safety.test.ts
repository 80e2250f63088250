import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BPF_NOEXIST,
  btfGetFdById,
  Fd,
  linkGetFdById,
  MapFd,
  mapCreate,
  mapDeleteBatch,
  mapDeleteElem,
  mapGetFdById,
  mapGetNextKey,
  mapLookupAndDeleteBatch,
  mapLookupAndDeleteElem,
  mapLookupBatch,
  mapLookupElem,
  mapUpdateBatch,
  mapUpdateElem,
  possibleCpus,
  progGetFdById,
  withScope,
} from '../src/index.ts';
import { FakeKernel, KEY, VALUE } from './safety-kernel.ts';

const RUNS = { numRuns: 40 };

/** Descriptors that nothing has: the fake kernel does not mind. */
let lastFd = 0x7000_0000;
const openMap = (): MapFd => new MapFd(++lastFd);

/** Bytes of so many, in each form that they come in. */
const bytesOf = (length: number): fc.Arbitrary<Uint8Array> =>
  fc
    .constantFrom(
      () => new Uint8Array(length),
      () => Buffer.alloc(length),
      () => new Uint8Array(new SharedArrayBuffer(length)),
      () => new Uint8Array(new ArrayBuffer(length + 16), 7, length),
      () => new (class extends Uint8Array {})(length),
    )
    .map((make) => make().fill(7));

const otherLength = (length: number): fc.Arbitrary<number> =>
  fc
    .oneof(fc.constantFrom(0, length - 1, length + 1, length + 8, length * 2), fc.nat(10_000))
    .filter((other) => other !== length && other >= 0);

/** What is no such bytes: another length, or another thing that says of itself that it has that length. */
const wrong = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    otherLength(length).chain(bytesOf),
    fc.constantFrom<unknown>(
      new Uint16Array(length),
      new Float64Array(length),
      new BigInt64Array(length),
      Array.from({ length }, () => 0),
      'a'.repeat(length),
      { length },
      new DataView(new ArrayBuffer(length)),
      new ArrayBuffer(length),
      null,
      length,
    ),
  ) as fc.Arbitrary<Uint8Array>;

const shapes = [
  { type: 'hash', keySize: 4, valueSize: 8 },
  { type: 'hash', keySize: 64, valueSize: 100 },
  { type: 'array', keySize: 4, valueSize: 1 },
  { type: 'percpu_hash', keySize: 5, valueSize: 12 },
  { type: 'percpu_array', keySize: 4, valueSize: 4096 },
  { type: 'lru_percpu_hash', keySize: 3, valueSize: 1 },
] as const;

const perCpu = (type: string, valueSize: number): number =>
  type.includes('percpu') ? Math.ceil(valueSize / 8) * 8 * possibleCpus() : valueSize;

describe.runIf(process.platform === 'linux').each(shapes)('a $type of $keySize and $valueSize', (shape) => {
  const { type, keySize, valueSize } = shape;
  const valueBytes = perCpu(type, valueSize);
  const key = new Uint8Array(keySize);
  const value = new Uint8Array(valueBytes);

  /** Each operation with one argument to choose, and the length that this has to have. */
  const operations: readonly [string, number, (map: MapFd, bytes: Uint8Array) => unknown][] = [
    ['lookup, key', keySize, (map, bytes) => mapLookupElem(map, bytes, value)],
    ['lookup, value', valueBytes, (map, bytes) => mapLookupElem(map, key, bytes)],
    ['update, key', keySize, (map, bytes) => mapUpdateElem(map, bytes, value)],
    ['update, value', valueBytes, (map, bytes) => mapUpdateElem(map, key, bytes)],
    ['delete, key', keySize, (map, bytes) => mapDeleteElem(map, bytes)],
    ['lookup and delete, key', keySize, (map, bytes) => mapLookupAndDeleteElem(map, bytes, value)],
    ['lookup and delete, value', valueBytes, (map, bytes) => mapLookupAndDeleteElem(map, key, bytes)],
    ['next key, key', keySize, (map, bytes) => mapGetNextKey(map, bytes, new Uint8Array(keySize))],
    ['next key, next', keySize, (map, bytes) => mapGetNextKey(map, key, bytes)],
    ['first key, next', keySize, (map, bytes) => mapGetNextKey(map, undefined, bytes)],
    ['lookup batch, keys', keySize * 3, (map, bytes) => mapLookupBatch(map, bytes, new Uint8Array(valueBytes * 3))],
    ['lookup batch, values', valueBytes * 3, (map, bytes) => mapLookupBatch(map, new Uint8Array(keySize * 3), bytes)],
    ['lookup batch, cursor', Math.max(4, keySize), (map, bytes) => mapLookupBatch(map, key, value, bytes)],
    ['lookup and delete batch, keys', keySize, (map, bytes) => mapLookupAndDeleteBatch(map, bytes, value)],
    ['lookup and delete batch, values', valueBytes, (map, bytes) => mapLookupAndDeleteBatch(map, key, bytes)],
    ['update batch, keys', keySize, (map, bytes) => mapUpdateBatch(map, bytes, value)],
    ['update batch, values', valueBytes, (map, bytes) => mapUpdateBatch(map, key, bytes)],
  ];

  test.each(operations)('%s: of another length it never reaches the kernel', (_, length, operation) => {
    using kernel = new FakeKernel(type, keySize, valueSize, valueBytes);
    using map = openMap();
    fc.assert(
      fc.property(wrong(length), (bytes) => {
        const before = kernel.calls;
        expect(() => operation(map, bytes)).toThrow(
          expect.toSatisfy((error) => error instanceof RangeError || error instanceof TypeError),
        );
        expect(kernel.calls).toBe(before);
      }),
      RUNS,
    );
    // What was refused has left nothing behind: the key arrives, and the value comes back.
    const out = new Uint8Array(valueBytes);
    expect(mapLookupElem(map, key.slice().fill(9), out)).toBe(true);
    expect(kernel.key).toEqual(key.slice().fill(9));
    expect(out).toEqual(out.slice().fill(VALUE));
  });

  test.each(operations)('%s: of its length it reaches it, in each form', (_, length, operation) => {
    using kernel = new FakeKernel(type, keySize, valueSize, valueBytes);
    using map = openMap();
    fc.assert(
      fc.property(bytesOf(length), (bytes) => {
        const before = kernel.calls;
        operation(map, bytes);
        expect(kernel.calls).toBe(before + 1);
        expectDisjoint(kernel);
      }),
      RUNS,
    );
  });

  test('what the kernel writes lies within what it was told, and nothing around it changes', () => {
    using kernel = new FakeKernel(type, keySize, valueSize, valueBytes);
    using map = openMap();
    const around = new Uint8Array(valueBytes + 64).fill(0x5a);
    expect(mapLookupElem(map, key, around.subarray(32, 32 + valueBytes))).toBe(true);
    expect(around.subarray(32, 32 + valueBytes)).toEqual(new Uint8Array(valueBytes).fill(VALUE));
    expect([...around.subarray(0, 32), ...around.subarray(32 + valueBytes)]).toEqual(Array(64).fill(0x5a));
    expect(map.elem.nextKey).toEqual(new Uint8Array(keySize));
    expect(mapGetNextKey(map, undefined, around.subarray(0, keySize))).toBe(true);
    expect(around.subarray(0, keySize)).toEqual(new Uint8Array(keySize).fill(KEY));
    expect(map.elem.value.bytes).toEqual(new Uint8Array(valueBytes).fill(VALUE));
    for (const count of [1, 3, 1000])
      withScope((scope) => {
        const guard = scope.alloc(64).bytes.fill(0x5a);
        const keys = new Uint8Array(keySize * count);
        const values = new Uint8Array(valueBytes * count);
        const batch = mapLookupBatch(map, keys, values);
        expectDisjoint(kernel);
        expect(batch.count).toBe(count);
        expect(batch.cursor).toEqual(new Uint8Array(Math.max(4, keySize)).fill(1));
        expect(keys.every((byte) => byte === KEY) && values.every((byte) => byte === VALUE)).toBe(true);
        expect(guard.every((byte) => byte === 0x5a)).toBe(true);
      });
  });

  test('keys of a delete batch are whole ones', () => {
    using kernel = new FakeKernel(type, keySize, valueSize, valueBytes);
    using map = openMap();
    fc.assert(
      fc.property(wrong(keySize), (bytes) => {
        fc.pre(
          typeof bytes !== 'object' || bytes === null || bytes.length % keySize !== 0 || bytes.BYTES_PER_ELEMENT !== 1,
        );
        expect(() => mapDeleteBatch(map, bytes)).toThrow();
        expect(kernel.calls).toBe(0);
      }),
    );
    expect(mapDeleteBatch(map, new Uint8Array(0))).toBe(0);
    expect(kernel.calls).toBe(0);
  });
});

/** No byte is in two of the ranges that the kernel was told of. */
function expectDisjoint({ ranges }: FakeKernel): void {
  const sorted = ranges.filter(({ at, bytes }) => at !== 0 && bytes > 0).sort((a, b) => a.at - b.at);
  for (const [i, { at, bytes }] of sorted.entries())
    expect(at + bytes).toBeLessThanOrEqual(sorted[i + 1]?.at ?? Number.POSITIVE_INFINITY);
}

describe.runIf(process.platform === 'linux')('owners of descriptors', () => {
  test('a map that is closed or disowned has no memory any more', () => {
    using kernel = new FakeKernel('hash', 4, 8);
    for (const end of [(map: MapFd) => map.close(), (map: MapFd) => void map.disown()]) {
      const map = openMap();
      mapUpdateElem(map, new Uint8Array(4), new Uint8Array(8));
      const { calls } = kernel;
      end(map);
      expect(() => mapUpdateElem(map, new Uint8Array(4), new Uint8Array(8))).toThrow('this MapFd is closed');
      expect(() => map.elem).toThrow(TypeError);
      expect(() => mapLookupBatch(map, new Uint8Array(4), new Uint8Array(8))).toThrow(TypeError);
      expect(kernel.calls).toBe(calls);
    }
  });

  test('a number has one owner: a second one takes it from the first, whose sizes may be of another map', () => {
    const fd = ++lastFd;
    let first: MapFd;
    {
      using _ = new FakeKernel('hash', 4, 8);
      first = new MapFd(fd);
      mapUpdateElem(first, new Uint8Array(4), new Uint8Array(8));
    }
    using kernel = new FakeKernel('hash', 4, 4096);
    using second = new MapFd(fd);
    expect(first.closed).toBe(true);
    expect(() => mapLookupElem(first, new Uint8Array(4), new Uint8Array(8))).toThrow('this MapFd is closed');
    expect(kernel.calls).toBe(0);
    first.close();
    expect(second.closed).toBe(false);
    expect(mapLookupElem(second, new Uint8Array(4), new Uint8Array(4096))).toBe(true);
  });

  test('what cannot be a descriptor has no owner: koffi would take NaN for 0', () => {
    for (const bad of [Number.NaN, -1, 1.5, 2 ** 31, 2 ** 32 + 3, '3' as unknown as number])
      expect(() => new Fd(bad)).toThrow();
  });

  test('the sizes of a map cannot be changed', () => {
    using _ = new FakeKernel('hash', 4, 8);
    using map = openMap();
    expect(() => Object.assign(map.info, { valueSize: 1 })).toThrow(TypeError);
    expect(() => Object.assign(map, { info: { valueSize: 1 } })).toThrow(TypeError);
  });
});

describe.runIf(process.platform === 'linux')('scopes', () => {
  test('give back what they took, also when something throws', () => {
    // After a call that it was too small for, the memory that is shared is another one.
    for (let i = 0; i < 5; i++) withScope((scope) => scope.alloc(500_000));
    const first = withScope((scope) => scope.alloc(8).address);
    for (const bytes of [8, 60_000, 70_000, 2_000_000])
      expect(() =>
        withScope((scope) => {
          scope.alloc(bytes);
          withScope((inner) => {
            inner.alloc(bytes);
            throw new Error('in the middle');
          });
        }),
      ).toThrow('in the middle');
    expect(withScope((scope) => scope.alloc(8).address)).toBe(first);
  });

  test('memory of nested scopes, however long, is zeroed and does not overlap', () => {
    const length = fc.oneof(fc.nat(64), fc.nat(70_000));
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 8 }), (lengths) => {
        const open: { memory: { address: number; bytes: Uint8Array }; fill: number }[] = [];
        const nest = (i: number): void =>
          withScope((scope) => {
            const memory = scope.alloc(lengths[i] as number);
            expect(memory.address % 8).toBe(0);
            expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
            memory.bytes.fill(i + 1);
            open.push({ memory, fill: i + 1 });
            if (i + 1 < lengths.length) nest(i + 1);
            for (const { memory, fill } of open) expect(memory.bytes.every((byte) => byte === fill)).toBe(true);
            open.pop();
          });
        nest(0);
      }),
    );
  });

  test('end: nothing is allocated after that, nor by an async function', async () => {
    const escaped = withScope((scope) => scope);
    expect(() => escaped.alloc(8)).toThrow('the scope has ended');
    expect(() => escaped.copy(new Uint8Array(1))).toThrow('the scope has ended');
    expect(() => escaped.cString('x')).toThrow('the scope has ended');
    let after: unknown;
    expect(() =>
      withScope(async (scope) => {
        await undefined;
        try {
          scope.alloc(8);
        } catch (error) {
          after = error;
        }
      }),
    ).toThrow('cannot be async');
    await new Promise(setImmediate);
    expect(after).toBeInstanceOf(TypeError);
  });

  test('refuse what is no length, no bytes, and no text', () => {
    withScope((scope) => {
      for (const bad of [Number.NaN, -1, 1.5, 2 ** 31, 2 ** 53, Number.POSITIVE_INFINITY])
        expect(() => scope.alloc(bad)).toThrow(`a length of ${bad} bytes`);
      expect(() => scope.copy(new Uint16Array(2) as unknown as Uint8Array)).toThrow(
        'must be a Uint8Array, not Uint16Array',
      );
      expect(() => scope.cString('a\0b')).toThrow(String.raw`"a\u0000b" has a NUL in it`);
    });
  });
});

test.runIf(process.platform === 'linux')('the flags of an element are whole', () => {
  using kernel = new FakeKernel('hash', 4, 8);
  using map = openMap();
  const [key, value] = [new Uint8Array(4), new Uint8Array(8)];
  for (const bad of [Number.NaN, 0.5, -1, 2 ** 53, 1n as unknown as number, '1' as unknown as number]) {
    expect(() => mapLookupElem(map, key, value, bad)).toThrow(RangeError);
    expect(() => mapUpdateElem(map, key, value, bad)).toThrow(RangeError);
    expect(() => mapLookupAndDeleteElem(map, key, value, bad)).toThrow(RangeError);
  }
  expect(kernel.calls).toBe(0);
  mapUpdateElem(map, key, value, BPF_NOEXIST + 2 ** 32 * 3);
  expect([...map.elem.flagWords]).toEqual([1, 3]);
});

test.runIf(process.platform === 'linux')('a batch that fails: how far it came, and once more for as many', () => {
  const [ENOENT, EINTR, EINVAL, ENOTSUPP] = [2, 4, 22, 524];
  using kernel = new FakeKernel('array', 4, 8);
  using map = openMap();
  const [keys, values] = [new Uint8Array(40), new Uint8Array(80)];
  // The kernel stores in `count` how many were done, and a call with that attr would ask for no more than those.
  kernel.failures = [
    { errno: EINTR, count: 3 },
    { errno: EINTR, count: 0 },
  ];
  expect(mapLookupBatch(map, keys, values).count).toBe(10);
  expect(kernel.calls).toBe(3);
  kernel.failures = [{ errno: EINTR, count: 3 }];
  expect(() => mapUpdateBatch(map, keys, values)).toThrow(expect.objectContaining({ code: 'EINTR', count: 3 }));
  // Refused as a whole: it has not touched `count`.
  kernel.failures = [{ errno: ENOTSUPP }, { errno: EINVAL }];
  expect(() => mapUpdateBatch(map, keys, values)).toThrow(expect.objectContaining({ code: 'ENOTSUPP', count: 0 }));
  expect(() => mapDeleteBatch(map, keys)).toThrow(expect.objectContaining({ code: 'EINVAL', count: 0 }));
  kernel.failures = [{ errno: ENOENT, count: 4 }];
  expect(mapDeleteBatch(map, keys)).toBe(4);
});

test('an id that cannot be one is named by its kind', () => {
  for (const bad of [Number.NaN, -1, 1.5, 2 ** 32]) {
    expect(() => progGetFdById(bad)).toThrow(`prog_id is ${bad};`);
    expect(() => mapGetFdById(bad)).toThrow(`map_id is ${bad};`);
    expect(() => btfGetFdById(bad)).toThrow(`btf_id is ${bad};`);
    expect(() => linkGetFdById(bad)).toThrow(`link_id is ${bad};`);
  }
});

test('flags that are no list are refused', () => {
  const flags = 5 as unknown as readonly [];
  expect(() => mapCreate({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1, flags })).toThrow(
    'the map flags must be a list of names, not 5',
  );
});
