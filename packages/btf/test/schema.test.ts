import { describe, expect, expectTypeOf, test } from 'vitest';
import { type BtfTypeData, encodeBtf } from '../src/build/index.ts';
import {
  array,
  bool,
  bytes,
  char,
  checkLayout,
  decodeValue,
  encodeValue,
  enumOf,
  f64,
  type Infer,
  type InferInput,
  s8,
  s16,
  s32,
  s64,
  schemaOf,
  schemaToBtf,
  struct,
  u8,
  u16,
  u32,
  u64,
  union,
} from '../src/data/index.ts';
import { BtfError, parseBtf } from '../src/index.ts';

const Op = enumOf({ OPEN: 1, CLOSE: 2 }, u8);
const Event = struct({
  pid: u32,
  at: u64,
  comm: char(16),
  op: Op,
  ok: bool,
  address: struct({ port: u16, ip: array(u8, 4) }),
  hash: bytes(3),
  either: union({ signed: s32, parts: array(s16, 2) }),
});
type Event = Infer<typeof Event>;

const event: Event = {
  pid: 42,
  at: 7n,
  comm: 'node',
  op: 'CLOSE',
  ok: true,
  address: { port: 80, ip: [127, 0, 0, 1] },
  hash: Uint8Array.of(1, 2, 3),
  either: { signed: -1, parts: [-1, -1] },
};

test('a struct lies in memory as in C', () => {
  expect(Event.offsets).toEqual({ pid: 0, at: 8, comm: 16, op: 32, ok: 33, address: 34, hash: 40, either: 44 });
  expect([Event.size, Event.align]).toEqual([48, 8]);
  const packed = struct({ a: u8, b: u64, c: u16 }, { packed: true });
  expect([packed.offsets, packed.size, packed.align]).toEqual([{ a: 0, b: 1, c: 9 }, 11, 1]);
  expect(array(struct({ a: u8, b: u16 }), 3).size).toBe(12);
  const one = union({ a: u8, b: u64, c: char(9) });
  expect([one.offsets, one.size, one.align]).toEqual([{ a: 0, b: 0, c: 0 }, 16, 8]);
});

test('values come back, at any place', () => {
  const { either, ...rest } = event;
  const encoded = Event.encode({ ...rest, either: { signed: either.signed } });
  expect(encoded.length).toBe(48);
  expect(Event.decode(encoded)).toEqual(event);
  const larger = new Uint8Array(60).fill(0xff);
  Event.encodeInto({ ...rest, either: { parts: either.parts } }, larger, 5);
  expect(Event.decode(larger, 5)).toEqual(event);
  expect([...larger.subarray(0, 5), ...larger.subarray(53)]).toEqual(Array(12).fill(0xff));
  expect([...larger.subarray(9, 13)], 'padding').toEqual([0, 0, 0, 0]);
});

test('what is decoded is a copy', () => {
  const buffer = Buffer.from([1, 2, 3, 4]);
  const decoded = bytes(3).decode(buffer, 1);
  buffer.fill(0);
  expect(decoded).toEqual(Uint8Array.of(2, 3, 4));
  expect(decoded.buffer.byteLength).toBe(3);
});

test('types are inferred', () => {
  expectTypeOf<Event>().toEqualTypeOf<{
    pid: number;
    at: bigint;
    comm: string;
    op: 'OPEN' | 'CLOSE' | number;
    ok: boolean;
    address: { port: number; ip: number[] };
    hash: Uint8Array;
    either: { signed: number; parts: number[] };
  }>();
  expectTypeOf(Event.offsets.pid).toBeNumber();
  expectTypeOf<InferInput<typeof Op>>().toEqualTypeOf<'OPEN' | 'CLOSE' | number>();
  const Pair = struct({ a: u32, b: u64 });
  expectTypeOf<InferInput<typeof Pair>>().toEqualTypeOf<{ readonly a: number; readonly b: bigint }>();
  expectTypeOf(Pair.decode(new Uint8Array(16))).toEqualTypeOf<{ a: number; b: bigint }>();
  expectTypeOf(array(Pair, 2).encode)
    .parameter(0)
    .toEqualTypeOf<readonly { readonly a: number; readonly b: bigint }[]>();

  const refused = (encode: () => unknown): void => expect(encode).toThrow(BtfError);
  // @ts-expect-error b is missing
  refused(() => Pair.encode({ a: 1 }));
  // @ts-expect-error c is not a field
  refused(() => Pair.encode({ a: 1, b: 1n, c: 1 }));
  // @ts-expect-error a is a number
  refused(() => Pair.encode({ a: '1', b: 1n }));
  // @ts-expect-error not a name of the enum
  refused(() => Op.encode('OPENED'));
  // @ts-expect-error one member of a union, not two
  refused(() => union({ a: u8, b: u8 }).encode({ a: 1, b: 1 }));
  // @ts-expect-error a 64-bit integer holds no enum
  refused(() => enumOf({ A: 1 }, u64));
  // @ts-expect-error a field that is not there
  expect(Pair.offsets.c).toBeUndefined();
});

test('errors name the field', () => {
  const { either, ...rest } = event;
  const encode = (change: object) => () => Event.encode({ ...rest, either: { signed: 1 }, ...change });
  expect(encode({ pid: -1 })).toThrow('pid: -1 is not an integer in 0..4294967295');
  expect(encode({ address: { port: 80, ip: [1, 2, 3, 256] } })).toThrow(
    'address.ip[3]: 256 is not an integer in 0..255',
  );
  expect(encode({ hash: new Uint8Array(4) })).toThrow('hash: 4 bytes were given; it has 3');
  expect(encode({ hash: [1, 2, 3] })).toThrow('hash: an array of 3 is not a Uint8Array');
  expect(encode({ either })).toThrow('either: exactly one of signed, parts is to be given');
  expect(() => Event.decode(new Uint8Array(48), 1)).toThrow('the value: it takes 48 bytes at 1, and there are 48');
  expect(() => Event.decode(new Uint8Array(48), -1)).toThrow('the offset is -1');
  expect(() => u8.encodeInto(1, new Uint8Array(1), 0.5)).toThrow('the offset is 0.5');
});

test('a field may be called as what every object has', () => {
  const schema = struct({ toString: u8, constructor: u8 });
  expect(() => schema.encode({} as InferInput<typeof schema>)).toThrow('toString: it is missing');
  expect(schema.encode({ toString: 1, constructor: 2 } as never)).toEqual(Uint8Array.of(1, 2));
});

test('schemas that cannot be', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_TYPE' });
  expect(() => char(0)).toThrow(invalid);
  expect(() => bytes(1.5)).toThrow(invalid);
  expect(() => array(u64, 2 ** 30)).toThrow(invalid);
  expect(() => struct({ '1': u8 })).toThrow("'1' is not a name in C");
  expect(() => enumOf({ A: 256 }, u8)).toThrow('A, 256, does not fit in the 1 bytes of this enum');
  expect(() => enumOf({ A: -1 })).toThrow(invalid);
  expect(() => enumOf({ A: 0.5 })).toThrow(invalid);
  expect(enumOf({ A: -1 }, s8).encode('A')).toEqual(Uint8Array.of(255));
});

describe('schemas and BTF', () => {
  const schema = struct({
    id: u32,
    signed: s64,
    name: char(5),
    raw: bytes(3),
    op: Op,
    ok: bool,
    ratio: f64,
    list: array(struct({ x: u8, y: u16 }), 2),
    one: union({ a: u32, b: s16 }),
  });
  const { types, typeId } = schemaToBtf(schema, 'all');
  const btf = parseBtf(encodeBtf(types));

  test('a schema becomes types', () => {
    expect(btf.find('struct', 'all')).toBe(typeId);
    expect(btf.sizeOf(typeId)).toBe(schema.size);
    for (const [name, offset] of Object.entries(schema.offsets))
      expect(btf.member(typeId, name).offset, name).toBe(offset);
    expect(types.filter(({ kind, name }) => kind === 'int' && name === 'unsigned int')).toHaveLength(1);
    const more = schemaToBtf(u32, 'pid_t', types);
    expect(more.types).toBe(types);
    expect(types[more.typeId - 1]).toEqual({ kind: 'typedef', name: 'pid_t', typeId: 1 });
    expect(types.filter(({ kind, name }) => kind === 'int' && name === 'unsigned int')).toHaveLength(1);
  });

  test('bytes mean the same to both', () => {
    const list = [
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ];
    const value = { id: 1, signed: -1n, name: 'a', op: 'OPEN', ok: true, ratio: 0.5, list, one: { a: 9 } } as const;
    const encoded = schema.encode({ ...value, raw: Uint8Array.of(1, 2, 3) });
    expect(encodeValue(btf, typeId, { ...value, raw: [1, 2, 3] })).toEqual(encoded);
    expect(decodeValue(btf, typeId, encoded)).toEqual({ ...schema.decode(encoded), raw: [1, 2, 3] });
  });

  test('a schema may be made of one from BTF', () => {
    const wrapped = struct({ before: u8, all: schemaOf(btf, typeId) });
    expect(wrapped.offsets.all).toBe(8);
    expect(checkLayout(parseBtf(encodeBtf(schemaToBtf(wrapped, 'w').types)), types.length, wrapped)).toBeUndefined();
  });

  test('layouts are compared', () => {
    const Inner = struct({ x: u8, y: u16 });
    const good = struct({ a: u32, b: u64, list: array(Inner, 2), one: union({ c: u64, d: u8 }) });
    const { types, typeId } = schemaToBtf(good, 's');
    const btf = parseBtf(encodeBtf(types));
    const check = (schema: Parameters<typeof checkLayout>[2]) => (): void => checkLayout(btf, typeId, schema);
    expect(check(good)).not.toThrow();
    const one = union({ c: u64 });
    const list = array(Inner, 2);
    expect(check(struct({ a: bytes(4), b: s64, list, one })), 'another reading').not.toThrow();
    const differs = (schema: Parameters<typeof checkLayout>[2], message: string): void => {
      expect(check(schema)).toThrow(expect.objectContaining({ code: 'LAYOUT' }));
      expect(check(schema)).toThrow(message);
    };
    differs(
      struct({ a: u32, b: u64, list, one }, { packed: true }),
      'b: it is at byte 4 in the schema, and at 8 in BTF',
    );
    differs(struct({ a: u16, b: u64, list, one }), 'a: it has 2 bytes in the schema, and 4 in BTF');
    differs(struct({ a: u32, z: u64, list, one }), 'z: the schema has it, BTF has not');
    differs(struct({ a: u32, b: u64, list }), 'one: BTF has it at byte 24, the schema has not');
    differs(
      struct({ a: u32, b: u64, list: array(Inner, 3), one }),
      'list: it has 3 elements in the schema, and 2 in BTF',
    );
    differs(
      struct({ a: u32, b: u64, list: array(struct({ x: u16, y: u16 }), 2), one }),
      'list[0].x: it has 2 bytes in the schema, and 1 in BTF',
    );
    differs(struct({ a: array(u8, 4), b: u64, list, one }), 'a: it is of the kind array in the schema, and int in BTF');
    differs(u32, 'the whole: it has 4 bytes in the schema, and 32 in BTF');
  });

  test('a bitfield is no field of a schema', () => {
    const types: BtfTypeData[] = [
      { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
      { kind: 'struct', name: 's', size: 4, members: [{ name: 'a', typeId: 1, bitOffset: 0, bitSize: 8 }] },
    ];
    const btf = parseBtf(encodeBtf(types));
    expect(() => checkLayout(btf, 2, struct({ a: u8, b: bytes(3) }))).toThrow('a: it is a bitfield in BTF');
    expect(() => schemaToBtf(schemaOf(btf, 2), 's')).toThrow(expect.objectContaining({ code: 'INVALID_TYPE' }));
  });
});
