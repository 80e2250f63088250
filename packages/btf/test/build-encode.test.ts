import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as build from '../src/build/index.ts';
import { type BtfTypeData, encodeBtf } from '../src/build/index.ts';
import { formatDeclaration } from '../src/format/index.ts';
import { type Btf, type BtfType, parseBtf } from '../src/index.ts';
import { buildBtf } from './build.ts';

test('the exported names', () => {
  expect(Object.keys(build)).toEqual(['encodeBtf']);
});

const member = (name: string, typeId: number, bitOffset: number, bitSize = 0) => ({ name, typeId, bitOffset, bitSize });
const INT: BtfTypeData = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' };

/** One of every kind, each with what it may hold. */
const everyKind: BtfTypeData[] = [
  INT,
  { kind: 'int', name: 'odd', size: 4, bits: 3, bitOffset: 5, encoding: 'bool' },
  { kind: 'ptr', name: '', typeId: 4 },
  { kind: 'struct', name: 's', size: 8, members: [member('a', 1, 0), member('', 5, 32)] },
  { kind: 'union', name: '', size: 4, members: [member('b', 1, 0, 7), member('c', 1, 0, 32)] },
  { kind: 'array', name: '', typeId: 1, indexTypeId: 1, length: 0xffff_ffff },
  { kind: 'enum', name: 'e', size: 4, signed: true, values: [{ name: 'LOW', value: -(2 ** 31) }] },
  { kind: 'enum', name: 'u', size: 4, signed: false, values: [{ name: 'HIGH', value: 2 ** 32 - 1 }] },
  { kind: 'enum64', name: 'b', size: 8, signed: true, values: [{ name: 'LOW', value: -(2n ** 63n) }] },
  { kind: 'enum64', name: 'v', size: 8, signed: false, values: [{ name: 'HIGH', value: 2n ** 64n - 1n }] },
  { kind: 'fwd', name: 'f', of: 'union' },
  { kind: 'fwd', name: 'f', of: 'struct' },
  { kind: 'typedef', name: 't', typeId: 1 },
  { kind: 'volatile', name: '', typeId: 1 },
  { kind: 'const', name: '', typeId: 1 },
  { kind: 'restrict', name: '', typeId: 3 },
  {
    kind: 'func_proto',
    name: '',
    returnTypeId: 0,
    params: [
      { name: 'x', typeId: 3 },
      { name: '', typeId: 0 },
    ],
  },
  { kind: 'func', name: 'do_it', typeId: 17, linkage: 'extern' },
  { kind: 'var', name: 'v', typeId: 1, linkage: 'global' },
  { kind: 'datasec', name: '.data', size: 4, vars: [{ typeId: 19, offset: 0, size: 4 }] },
  { kind: 'float', name: 'double', size: 8 },
  { kind: 'decl_tag', name: 'tag', typeId: 4, componentIndex: -1 },
  { kind: 'type_tag', name: 'user', typeId: 1 },
  { kind: 'decl_tag', name: 'unused', typeId: 4, componentIndex: 1, attribute: true },
  { kind: 'type_tag', name: 'address_space(1)', typeId: 1, attribute: true },
];

const typesOf = (btf: Btf, first = 1): BtfType[] =>
  Array.from({ length: btf.count - first + 1 }, (_, i) => btf.type(first + i));

describe.each([true, false])('little-endian: %s', (littleEndian) => {
  test('every kind is read as it was written', () => {
    const bytes = encodeBtf(everyKind, { littleEndian });
    expect(typesOf(parseBtf(bytes))).toEqual(everyKind.map((type, i) => ({ ...type, id: i + 1 })));
  });

  test('what was read is written as it was', () => {
    const bytes = encodeBtf(everyKind, { littleEndian });
    expect(encodeBtf(typesOf(parseBtf(bytes)) as BtfTypeData[], { littleEndian })).toEqual(bytes);
  });
});

test('tags that hold any attribute are told from others by kind_flag', () => {
  const bytes = buildBtf([
    { name: 'int', kind: 1, sizeOrType: 4, extra: [0x0100_0020] },
    { name: 'noderef', kind: 18, kindFlag: true, sizeOrType: 1 },
    { name: 'unused', kind: 17, kindFlag: true, sizeOrType: 4, extra: [0xffff_ffff] },
    { name: 't', kind: 8, sizeOrType: 2 },
  ]);
  const btf = parseBtf(bytes);
  expect(typesOf(btf).slice(1, 3)).toEqual([
    { id: 2, kind: 'type_tag', name: 'noderef', typeId: 1, attribute: true },
    { id: 3, kind: 'decl_tag', name: 'unused', typeId: 4, componentIndex: -1, attribute: true },
  ]);
  expect(encodeBtf(typesOf(btf) as BtfTypeData[])).toEqual(bytes);
  expect(formatDeclaration(btf, 2, 'v')).toBe('int __attribute__((noderef)) v');
});

test('a string is written once', () => {
  const bytes = encodeBtf([INT, { kind: 'typedef', name: 'int', typeId: 1 }]);
  expect(new TextDecoder().decode(bytes.subarray(24 + 16 + 12))).toBe('\0int\0');
});

test('names are bytes', () => {
  const bytes = encodeBtf([{ ...INT, name: '\xe4\xff' }]);
  expect(parseBtf(bytes).find('int', '\xe4\xff')).toBe(1);
});

test('split BTF goes on from its base and repeats none of its strings', () => {
  const base = parseBtf(encodeBtf(everyKind));
  const count = everyKind.length;
  const types: BtfTypeData[] = [
    { kind: 'struct', name: 'mine', size: 8, members: [member('a', 1, 0), member('own', count + 2, 32)] },
    { kind: 'typedef', name: 't', typeId: 1 },
  ];
  const bytes = encodeBtf(types, { base });
  expect(new TextDecoder().decode(bytes.subarray(-9))).toBe('mine\0own\0');
  const btf = parseBtf(bytes, { base });
  expect(typesOf(btf, count + 1)).toEqual(types.map((type, i) => ({ ...type, id: count + 1 + i })));
  expect(encodeBtf(typesOf(btf, count + 1) as BtfTypeData[], { base })).toEqual(bytes);

  const third = parseBtf(encodeBtf([{ kind: 'ptr', name: 'own', typeId: count + 3 }], { base: btf }), { base: btf });
  expect(third.type(count + 3)).toEqual({ id: count + 3, kind: 'ptr', name: 'own', typeId: count + 3 });

  expect(() => encodeBtf([], { base, littleEndian: false })).toThrow('byte order');
  const big = parseBtf(encodeBtf(everyKind, { littleEndian: false }));
  expect(parseBtf(encodeBtf(types, { base: big }), { base: big }).find('struct', 'mine')).toBe(count + 1);
});

test.each<[string, BtfTypeData]>([
  ['type 1: there is no type with id 2: ids are 0..1', { kind: 'ptr', typeId: 2 }],
  ['no type with id -1', { kind: 'ptr', typeId: -1 }],
  ['no type with id 0.5', { kind: 'ptr', typeId: 0.5 }],
  ["the name 'a' goes on after a NUL", { ...INT, name: 'a\0b' }],
  ['above U+00FF', { ...INT, name: '\u0101' }],
  ["type 1 'i': its size is 4294967296", { ...INT, name: 'i', size: 2 ** 32 } as BtfTypeData],
  ['its size is -1', { kind: 'float', size: -1 }],
  ['its bits is 256', { kind: 'int', size: 4, bits: 256, bitOffset: 0, encoding: 'signed' }],
  ["encoding 'odd' is unknown", { kind: 'int', size: 4, bits: 1, bitOffset: 0, encoding: 'odd' as 'bool' }],
  ['its length is 4294967296', { kind: 'array', typeId: 1, indexTypeId: 1, length: 2 ** 32 }],
  ['no type with id 7', { kind: 'array', typeId: 1, indexTypeId: 7, length: 1 }],
  ["its bitOffset of member 'm' is 16777216", { kind: 'struct', size: 4, members: [member('m', 1, 2 ** 24, 1)] }],
  ["its bitSize of member 'm' is 256", { kind: 'struct', size: 4, members: [member('m', 1, 0, 256)] }],
  ['65536 entries are too many', { kind: 'struct', size: 4, members: Array(65536).fill(member('m', 1, 0)) }],
  ["the value of 'A' is -1", { kind: 'enum', size: 4, signed: false, values: [{ name: 'A', value: -1 }] }],
  ['-2147483648..2147483647', { kind: 'enum', size: 4, signed: true, values: [{ name: 'A', value: 2 ** 31 }] }],
  ["the value of 'A' is 0.5", { kind: 'enum', size: 4, signed: true, values: [{ name: 'A', value: 0.5 }] }],
  ["the value of 'A'", { kind: 'enum64', size: 8, signed: true, values: [{ name: 'A', value: 2n ** 63n }] }],
  ["linkage 'weak' is not one of", { kind: 'func', name: 'f', typeId: 0, linkage: 'weak' as 'static' }],
  ['its componentIndex is -2', { kind: 'decl_tag', name: 'd', typeId: 1, componentIndex: -2 }],
  ["'void' is not a kind of type that can be written", { kind: 'void' } as unknown as BtfTypeData],
  ["'class' is not a kind of type that can be written", { kind: 'class' } as unknown as BtfTypeData],
])('refuses: %s', (message, type) => {
  expect(() => encodeBtf([type])).toThrow(expect.objectContaining({ code: 'INVALID_TYPE' }));
  expect(() => encodeBtf([type])).toThrow(message);
});

test('65535 members are not too many', () => {
  const members = Array.from({ length: 65535 }, (_, i) => member(`m${i}`, 1, i * 32));
  const btf = parseBtf(encodeBtf([INT, { kind: 'struct', name: 's', size: 65535 * 4, members }]));
  expect(btf.member('s', 'm65534').offset).toBe(65534 * 4);
});

test('types in any order with any names are read as they were written', () => {
  const name = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) });
  const type = fc.record({ base: fc.constantFrom(...everyKind), name });
  fc.assert(
    fc.property(fc.array(type, { maxLength: 30 }), fc.boolean(), (list, littleEndian) => {
      // At the end, so that every id there is means something.
      const types = [...everyKind, ...list.map(({ base, name }): BtfTypeData => ({ ...base, name }))];
      const btf = parseBtf(encodeBtf(types, { littleEndian }));
      expect(typesOf(btf)).toEqual(types.map((type, i) => ({ ...type, id: i + 1 })));
    }),
    { numRuns: 50 },
  );
});
