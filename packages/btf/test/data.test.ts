import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BtfTypeData, encodeBtf } from '../src/build/index.ts';
import * as data from '../src/data/index.ts';
import { decodeValue, encodeValue, schemaOf } from '../src/data/index.ts';
import { type Btf, BtfError, parseBtf } from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(data).sort()).toMatchInlineSnapshot(`
    [
      "array",
      "bool",
      "bytes",
      "char",
      "checkLayout",
      "decodeValue",
      "encodeValue",
      "enumOf",
      "f32",
      "f64",
      "s16",
      "s32",
      "s64",
      "s8",
      "schemaOf",
      "schemaToBtf",
      "struct",
      "u16",
      "u32",
      "u64",
      "u8",
      "union",
    ]
  `);
});

const types: BtfTypeData[] = [];
const add = (type: BtfTypeData): number => types.push(type);
const int = (name: string, size: number, encoding: 'unsigned' | 'signed' | 'char' | 'bool', bits = size * 8): number =>
  add({ kind: 'int', name, size, bits, bitOffset: 0, encoding });
const member = (name: string, typeId: number, bitOffset: number, bitSize = 0) => ({ name, typeId, bitOffset, bitSize });
const array = (typeId: number, length: number): number => add({ kind: 'array', typeId, indexTypeId: u32, length });

const u32 = int('unsigned int', 4, 'unsigned');
const s32 = int('int', 4, 'signed');
const u64 = int('unsigned long', 8, 'unsigned');
const s64 = int('long', 8, 'signed');
const u8 = int('unsigned char', 1, 'unsigned');
const s8 = int('signed char', 1, 'signed');
const s16 = int('short', 2, 'signed');
const char = int('char', 1, 'signed');
const bool = int('_Bool', 1, 'bool');
const u128 = int('unsigned __int128', 16, 'unsigned');
const odd = add({ kind: 'int', name: 'odd', size: 4, bits: 5, bitOffset: 2, encoding: 'signed' });
const f32 = add({ kind: 'float', name: 'float', size: 4 });
const f64 = add({ kind: 'float', name: 'double', size: 8 });
const f128 = add({ kind: 'float', name: 'long double', size: 16 });
const pointer = add({ kind: 'ptr', typeId: 0 });
const func = add({ kind: 'func_proto', returnTypeId: 0, params: [] });
const color = add({
  kind: 'enum',
  name: 'color',
  size: 4,
  signed: false,
  values: ['RED', 'GREEN', 'ALSO_GREEN'].map((name, i) => ({ name, value: Math.min(i, 1) })),
});
const sign = add({ kind: 'enum', name: 'sign', size: 1, signed: true, values: [{ name: 'NEGATIVE', value: -1 }] });
const old = add({ kind: 'enum', name: 'old', size: 4, signed: false, values: [{ name: 'MINUS', value: 0xffff_ffff }] });
const huge = add({
  kind: 'enum64',
  name: 'huge',
  size: 8,
  signed: false,
  values: [{ name: 'HUGE', value: 2n ** 63n }],
});
const comm = array(add({ kind: 'typedef', name: 'char_t', typeId: add({ kind: 'const', typeId: char }) }), 8);
const comms = array(comm, 2);
const bytes = array(u8, 3);
const empty = array(u64, 0);
const inner = add({ kind: 'struct', name: 'inner', size: 8, members: [member('x', u8, 0), member('y', s32, 32)] });
const inners = array(inner, 2);
const either = add({ kind: 'union', name: 'either', size: 8, members: [member('a', u32, 0), member('b', inner, 0)] });
const flags = add({
  kind: 'struct',
  name: 'flags',
  size: 8,
  members: [
    member('low', u32, 0, 3),
    member('signed', s32, 3, 7),
    member('on', bool, 10, 1),
    member('color', color, 11, 2),
    member('cross', u32, 13, 22),
    member('wide', u64, 35, 29),
  ],
});
// struct { u32 kind; union { u64 whole; struct { u32 low, high; }; }; }
const pair = add({ kind: 'struct', size: 8, members: [member('low', u32, 0), member('high', u32, 32)] });
const anonymous = add({ kind: 'union', size: 8, members: [member('whole', u64, 0), member('', pair, 0)] });
const outer = add({
  kind: 'struct',
  name: 'outer',
  size: 16,
  members: [member('kind', u32, 0), member('', anonymous, 64), member('', u8, 32)],
});
const tail = add({ kind: 'struct', name: 'tail', size: 4, members: [member('n', u32, 0), member('rest', empty, 32)] });
const proto = add({ kind: 'struct', name: 'p', size: 2, members: [member('__proto__', u8, 0), member('z', u8, 8)] });
const oldBits = add({ kind: 'struct', name: 'ob', size: 4, members: [member('o', odd, 0), member('u', u8, 8)] });
const count = add({ kind: 'var', name: 'count', typeId: u32, linkage: 'global' });
const total = add({ kind: 'var', name: 'total', typeId: u64, linkage: 'static' });
const section = add({
  kind: 'datasec',
  name: '.bss',
  size: 16,
  vars: [
    { typeId: count, offset: 0, size: 4 },
    { typeId: total, offset: 8, size: 8 },
  ],
});
const tagged = add({ kind: 'type_tag', name: 'user', typeId: color });

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** Type, value, its bytes on a little-endian machine, and on a big-endian one where they differ. */
const cases: [string, number, unknown, string, string?][] = [
  ['u32', u32, 0xdead_beef, 'efbeadde', 'deadbeef'],
  ['s32', s32, -2, 'feffffff', 'fffffffe'],
  ['u64', u64, 0x0102_0304_0506_0708n, '0807060504030201', '0102030405060708'],
  ['s64', s64, -1n, 'ffffffffffffffff'],
  ['u8', u8, 255, 'ff'],
  ['s8', s8, -128, '80'],
  ['s16', s16, -2, 'feff', 'fffe'],
  ['char alone', char, -1, 'ff'],
  ['bool', bool, true, '01'],
  ['u128', u128, 2n ** 127n + 1n, '01000000000000000000000000000080', '80000000000000000000000000000001'],
  ['5 bits at 2', odd, -1, '7c000000', '3e000000'],
  ['float', f32, 1.5, '0000c03f', '3fc00000'],
  ['double', f64, -2, '00000000000000c0', 'c000000000000000'],
  ['pointer', pointer, 0xffff_8880_0000_1000n, '00100000 8088ffff', 'ffff8880 00001000'],
  ['enum by name', color, 'GREEN', '01000000', '00000001'],
  ['enum by number', color, 7, '07000000', '00000007'],
  ['signed enum of a byte', sign, 'NEGATIVE', 'ff'],
  ['enum of an old compiler', old, 'MINUS', 'ffffffff'],
  ['enum64', huge, 'HUGE', '0000000000000080', '8000000000000000'],
  ['enum64 by number', huge, 2n, '0200000000000000', '0000000000000002'],
  ['through a tag', tagged, 'RED', '00000000'],
  ['text', comm, 'hé', '68c3a90000000000'],
  ['text of the whole length', comm, 'abcdefgh', '6162636465666768'],
  ['texts', comms, ['a', ''], '61000000000000000000000000000000'],
  ['bytes', bytes, [1, 2, 255], '0102ff'],
  ['no elements', empty, [], ''],
  ['struct with padding', inner, { x: 1, y: -1 }, '01000000ffffffff'],
  [
    'structs',
    inners,
    [
      { x: 1, y: 0 },
      { x: 0, y: 1 },
    ],
    '01000000000000000000000001000000',
    '01000000000000000000000000000001',
  ],
  // As gcc lays them out: 3 + 7 + 1 + 2 + 22 + 29 bits from the lowest, or from the highest.
  [
    'bitfields',
    flags,
    { low: 5, signed: -3, on: true, color: 'GREEN', cross: 0x20_0001, wide: 0x1000_0001 },
    hex(
      bitsLow([
        [3, 5n],
        [7, 0x7dn],
        [1, 1n],
        [2, 1n],
        [22, 0x20_0001n],
        [29, 0x1000_0001n],
      ]),
    ),
    hex(
      bitsHigh([
        [3, 5n],
        [7, 0x7dn],
        [1, 1n],
        [2, 1n],
        [22, 0x20_0001n],
        [29, 0x1000_0001n],
      ]),
    ),
  ],
  ['flexible array', tail, { n: 1, rest: [] }, '01000000', '00000001'],
  ['old bitfields', oldBits, { o: -1, u: 2 }, '7c020000', '3e020000'],
  [
    'variables',
    section,
    { count: 1, total: 2n },
    '01000000000000000200000000000000',
    '00000001000000000000000000000002',
  ],
];

function bitsLow(fields: [number, bigint][]): Uint8Array {
  const all = fields.reduceRight((sum, [width, value]) => (sum << BigInt(width)) | value, 0n);
  return unhex(all.toString(16).padStart(16, '0')).reverse();
}

function bitsHigh(fields: [number, bigint][]): Uint8Array {
  return unhex(
    fields
      .reduce((sum, [width, value]) => (sum << BigInt(width)) | value, 0n)
      .toString(16)
      .padStart(16, '0'),
  );
}

describe.each([true, false])('little-endian: %s', (littleEndian) => {
  const btf = parseBtf(encodeBtf(types, { littleEndian }));

  test.each(cases)('%s', (_, id, value, little, big = little) => {
    const bytes = unhex(littleEndian ? little : big);
    expect(decodeValue(btf, id, bytes)).toStrictEqual(value);
    expect(hex(encodeValue(btf, id, value))).toBe(hex(bytes));
  });
});

const btf = parseBtf(encodeBtf(types));

test('every view of a union is decoded, and one is encoded', () => {
  const bytes = unhex('0100000002000000');
  expect(decodeValue(btf, either, bytes)).toEqual({ a: 1, b: { x: 1, y: 2 } });
  expect(hex(encodeValue(btf, either, { a: 7 }))).toBe('0700000000000000');
  expect(hex(encodeValue(btf, either, { a: undefined, b: { x: 1, y: 2 } }))).toBe('0100000002000000');
});

test('the members of anonymous ones are the own', () => {
  const bytes = unhex('01000000 ffffffff 02000000 03000000');
  expect(decodeValue(btf, outer, bytes)).toEqual({ kind: 1, whole: 0x3_0000_0002n, low: 2, high: 3 });
  expect(hex(encodeValue(btf, outer, { kind: 1, low: 2, high: 3 }))).toBe('01000000000000000200000003000000');
  expect(hex(encodeValue(btf, outer, { kind: 1, whole: 5n }))).toBe('01000000000000000500000000000000');
});

test('a member may have any name', () => {
  const value = decodeValue(btf, proto, Uint8Array.of(1, 2));
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(JSON.stringify(value)).toBe('{"__proto__":1,"z":2}');
  expect(encodeValue(btf, proto, value)).toEqual(Uint8Array.of(1, 2));
});

test('text is UTF-8 up to the NUL, and faults in it do not matter', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), (bytes) => {
      const end = bytes.indexOf(0);
      const wanted = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end < 0 ? 8 : end));
      expect(decodeValue(btf, comm, bytes)).toBe(wanted);
    }),
    {
      numRuns: 1000,
      examples: ['f0908080f0908080', 'eda080e0a080e09f', 'f48fbfbff4908080', 'efbbbf61c180ff80'].map((x) => [unhex(x)]),
    },
  );
});

test.each<[string, number, unknown]>([
  ['the value: -1 is not an integer in 0..4294967295', u32, -1],
  ['the value: 4294967296 is not an integer', u32, 2 ** 32],
  ['the value: 0.5 is not an integer', u32, 0.5],
  ["the value: '1' is not an integer", u32, '1'],
  ['the value: 18446744073709551616n is not an integer in 0..18446744073709551615', u64, 2n ** 64n],
  ['the value: 9007199254740992 is not an integer', u64, 2 ** 53],
  ['the value: 1 is not true or false', bool, 1],
  ['the value: 1n is not a number', f64, 1n],
  ['the value: 1e+300 is too large for 4 bytes', f32, 1e300],
  ["the value: 'BLUE' is not a name of this enum", color, 'BLUE'],
  ["the value: 'abcdefghi' is longer than 8 bytes", comm, 'abcdefghi'],
  ["the value: 'ééééé' is longer than 8 bytes", comm, 'ééééé'],
  ['holds a NUL', comm, 'a\0b'],
  ['holds half of a surrogate pair', comm, 'a\ud800'],
  ['the value: 1 is not a string', comm, 1],
  ["[1]: 'long enough' is longer than 8 bytes", comms, ['', 'long enough']],
  ['[2]: 256 is not an integer in 0..255', bytes, [0, 1, 256]],
  ['the value: 2 elements were given; it has 3', bytes, [0, 1]],
  ['the value: an object is not an array', bytes, {}],
  ['[1].y: it is missing', inners, [{ x: 0, y: 0 }, { x: 0 }]],
  ["[0]: it has no field 'z': it has x, y", inners, [{ x: 0, y: 0, z: 0 }]],
  ["the value: it has no field 'c': it has a, b", either, { a: 1, c: 1 }],
  ['y: it is missing', inner, { x: 0, z: 0 }],
  ['y: 2147483648 is not an integer', inner, { x: 0, y: 2 ** 31 }],
  ['the value: null is not an object', inner, null],
  ['the value: an array of 0 is not an object', inner, []],
  ['low: 8 is not an integer in 0..7', flags, { low: 8, signed: 0, on: false, color: 0, cross: 0, wide: 0 }],
  ['the value: exactly one of a, b is missing', either, {}],
  ['the value: exactly one of a, b is to be given', either, { a: 1, b: { x: 0, y: 0 } }],
  ['b.x: it is missing', either, { b: { y: 0 } }],
  ['the value: exactly one of whole, low+high is missing', outer, { kind: 0 }],
  ['high: it is missing', outer, { kind: 0, low: 0 }],
])('encoding refuses: %s', (message, id, value) => {
  const wrong = id === inners && Array.isArray(value) && value.length === 1 ? [...value, { x: 0, y: 0 }] : value;
  expect(() => encodeValue(btf, id, wrong)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }));
  expect(() => encodeValue(btf, id, wrong)).toThrow(message);
});

test('what has no values is refused', () => {
  const refused = (code: string) => expect.objectContaining({ code });
  expect(() => decodeValue(btf, u32, new Uint8Array(3))).toThrow('the value: it takes 4 bytes at 0, and there are 3');
  expect(() => decodeValue(btf, 0, new Uint8Array(3))).toThrow(refused('NO_SIZE'));
  expect(() => decodeValue(btf, func, new Uint8Array(8))).toThrow(refused('NO_SIZE'));
  expect(() => decodeValue(btf, f128, new Uint8Array(16))).toThrow(refused('INVALID_TYPE'));
  expect(() => decodeValue(btf, 9999, new Uint8Array(16))).toThrow(refused('NOT_FOUND'));
});

test('a schema is made once for each type', () => {
  expect(schemaOf(btf, inner)).toBe(schemaOf(btf, inner));
});

describe('types that no compiler wrote', () => {
  const corrupt = expect.objectContaining({ code: 'CORRUPT' });
  const open = (...more: BtfTypeData[]): Btf =>
    parseBtf(encodeBtf([{ kind: 'int', name: 'u8', size: 1, bits: 8, bitOffset: 0, encoding: 'unsigned' }, ...more]));
  const refused = (btf: Btf, id: number): void => {
    expect(() => decodeValue(btf, id, new Uint8Array(1 << 16))).toThrow(corrupt);
  };
  const struct = (size: number, ...members: ReturnType<typeof member>[]): BtfTypeData => ({
    kind: 'struct',
    size,
    members,
  });

  test('circles', () => {
    refused(open(struct(1, member('self', 2, 0))), 2);
    refused(open(struct(1, member('', 2, 0))), 2);
    refused(open({ kind: 'array', typeId: 2, indexTypeId: 1, length: 1 }), 2);
    refused(open({ kind: 'typedef', name: 't', typeId: 2 }), 2);
    refused(open(struct(1, member('a', 3, 0)), struct(1, member('', 2, 0))), 3);
  });

  test('depth, also when it was made piece by piece', () => {
    const chain = Array.from({ length: 5000 }, (_, i) => struct(1, member('a', i + 1, 0)));
    const btf = open(...chain);
    refused(btf, 5001);
    expect(() => {
      for (let id = 1; id <= btf.count; id++) decodeValue(btf, id, new Uint8Array(1));
    }).toThrow(corrupt);
  });

  test('more values than a value has', () => {
    // 2^31 empty structs, and structs in structs at the same place: 16^8 values in a byte.
    refused(open(struct(0), { kind: 'array', typeId: 2, indexTypeId: 1, length: 2 ** 31 }), 3);
    const times = Array.from({ length: 8 }, (_, i) =>
      struct(1, ...Array.from({ length: 16 }, (_, j) => member(`m${j}`, i + 1, 0))),
    );
    refused(open(...times), 9);
    const nameless = times.map((type, i): BtfTypeData => {
      const members = Array.from({ length: 16 }, () => member(i === 0 ? 'x' : '', i + 1, 0));
      return { ...type, members } as BtfTypeData;
    });
    refused(open(...nameless), 9);
  });

  test('members outside, and bits that are none', () => {
    refused(open(struct(1, member('a', 1, 8))), 2);
    refused(open(struct(1, member('a', 1, 4))), 2);
    refused(open(struct(1, member('a', 1, 6, 3))), 2);
    refused(open(struct(4, member('a', 1, 0, 9))), 2);
    refused(open({ kind: 'ptr', typeId: 0 }, struct(8, member('a', 2, 0, 3))), 3);
    refused(open(struct(8, member('a', 1, 0)), struct(8, member('', 2, 8))), 3);
    refused(open({ kind: 'int', name: 'i', size: 4, bits: 33, bitOffset: 0, encoding: 'signed' }), 2);
    refused(open({ kind: 'int', name: 'i', size: 4, bits: 0, bitOffset: 0, encoding: 'signed' }), 2);
    refused(open({ kind: 'enum', name: 'e', size: 3, signed: false, values: [] }), 2);
    refused(open({ kind: 'array', typeId: 1, indexTypeId: 1, length: 2 ** 31 }), 2);
  });

  test('whatever they are, it ends in a value or a BtfError', () => {
    const good = encodeBtf(types);
    const change = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }));
    const zeros = new Uint8Array(64);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(types.length), (changes, id) => {
        const bytes = good.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          encodeValue(parseBtf(bytes), id, decodeValue(parseBtf(bytes), id, zeros));
        } catch (error) {
          expect(error).toBeInstanceOf(BtfError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
