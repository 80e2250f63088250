import { describe, expect, test } from 'vitest';
import * as format from '../src/format/index.ts';
import { formatJson, formatRaw } from '../src/format/index.ts';
import { parseBtf } from '../src/index.ts';
import { buildBtf, type Record } from './build.ts';
import { ENUM, everyKind, INT, STRUCT } from './format/records.ts';

const textOf = (chunks: Iterable<Uint8Array>): string => Buffer.concat([...chunks]).toString('latin1');

test('the exported names', () => {
  expect(Object.keys(format).sort()).toMatchInlineSnapshot(`
    [
      "formatC",
      "formatDeclaration",
      "formatJson",
      "formatPrototype",
      "formatRaw",
      "formatType",
    ]
  `);
});

describe.each([
  ['little', true],
  ['big', false],
] as const)('%s-endian BTF', (_, littleEndian) => {
  const btf = parseBtf(buildBtf(everyKind, littleEndian));

  // What bpftool prints for it.
  test('raw', () => {
    expect(textOf(formatRaw(btf))).toMatchInlineSnapshot(`
      "[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED
      [2] PTR '(anon)' type_id=4
      [3] ARRAY '(anon)' type_id=1 index_type_id=1 nr_elems=16
      [4] STRUCT 'node' size=16 vlen=3
      	'next' type_id=2 bits_offset=0
      	'flag' type_id=1 bits_offset=64 bitfield_size=1
      	'rest' type_id=1 bits_offset=65 bitfield_size=31
      [5] UNION '(anon)' size=64 vlen=2
      	'all' type_id=3 bits_offset=0
      	'(anon)' type_id=4 bits_offset=0
      [6] ENUM 'mode' encoding=SIGNED size=4 vlen=2
      	'ON' val=1
      	'OFF' val=-1
      [7] FWD 'opaque' fwd_kind=struct
      [8] TYPEDEF 'any' type_id=5
      [9] VOLATILE '(anon)' type_id=1
      [10] CONST '(anon)' type_id=1
      [11] RESTRICT '(anon)' type_id=2
      [12] FUNC_PROTO '(anon)' ret_type_id=1 vlen=2
      	'self' type_id=2
      	'(anon)' type_id=0
      [13] FUNC 'print' type_id=12 linkage=global
      [14] VAR 'counter' type_id=9, linkage=global
      [15] DATASEC '.data' size=4 vlen=1
      	type_id=14 offset=0 size=4 (VAR 'counter')
      [16] FLOAT 'double' size=8
      [17] DECL_TAG 'tagged' type_id=4 component_idx=-1
      [18] TYPE_TAG 'user' type_id=1
      [19] ENUM64 'big' encoding=UNSIGNED size=8 vlen=2
      	'HUGE' val=18446744069414584325ULL
      	'SMALL' val=7ULL
      "
    `);
  });

  test('JSON', () => {
    const text = textOf(formatJson(btf));
    expect(text).toMatch(/^\{"types":\[\{"id":1,"kind":"INT","name":"int","size":4,/);
    expect(text).toContain('{"name":"HUGE","val":18446744069414584325}');
    const { types } = JSON.parse(text);
    expect(types).toHaveLength(19);
    expect(types[3]).toEqual({
      id: 4,
      kind: 'STRUCT',
      name: 'node',
      size: 16,
      vlen: 3,
      members: [
        { name: 'next', type_id: 2, bits_offset: 0 },
        { name: 'flag', type_id: 1, bits_offset: 64, bitfield_size: 1 },
        { name: 'rest', type_id: 1, bits_offset: 65, bitfield_size: 31 },
      ],
    });
    expect(types[14]).toEqual({
      id: 15,
      kind: 'DATASEC',
      name: '.data',
      size: 4,
      vlen: 1,
      vars: [{ type_id: 14, offset: 0, size: 4 }],
    });
  });
});

test('names are written as the bytes they are, and escaped in JSON', () => {
  const btf = parseBtf(buildBtf([{ name: 'caf\xc3\xa9 "\\\n\x01', kind: INT, sizeOrType: 4, extra: [32] }]));
  expect(Buffer.concat([...formatRaw(btf)]).toString()).toContain(`'café "\\\n\x01'`);
  expect(JSON.parse(Buffer.concat([...formatJson(btf)]).toString()).types[0].name).toBe('café "\\\n\x01');
});

test('values of enums, signed and not', () => {
  const values = (kindFlag: boolean): string =>
    textOf(
      formatRaw(parseBtf(buildBtf([{ kind: ENUM, vlen: 1, kindFlag, sizeOrType: 4, extra: ['A', 0x8000_0000] }]))),
    );
  expect(values(true)).toContain("'A' val=-2147483648\n");
  expect(values(false)).toContain("'A' val=2147483648\n");
});

test('of split BTF, only its own types, with names of both', () => {
  const baseBytes = buildBtf(everyKind);
  const bytes = buildBtf([{ name: 'mine', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: [1, 1, 0] }]);
  // Its strings go on where those of the base end. The member's, 1, is the first of the base: 'int'.
  const view = new DataView(bytes.buffer);
  view.setUint32(24, new DataView(baseBytes.buffer).getUint32(20, true) + 1, true);
  const split = parseBtf(bytes, { base: parseBtf(baseBytes) });
  expect(textOf(formatRaw(split))).toBe("[20] STRUCT 'mine' size=4 vlen=1\n\t'int' type_id=1 bits_offset=0\n");
  expect(JSON.parse(textOf(formatJson(split))).types).toHaveLength(1);
});

test('what is long comes in chunks', () => {
  const records = Array.from({ length: 3000 }, (_, i) => ({
    name: `type_number_${i}`,
    kind: INT,
    sizeOrType: 4,
    extra: [32],
  }));
  const chunks = [...formatRaw(parseBtf(buildBtf(records)))];
  expect(chunks.length).toBeGreaterThan(2);
  expect(textOf(chunks).split('\n')).toHaveLength(3001);
});

test('a type that is longer than a chunk comes whole', () => {
  const names = Array.from({ length: 5000 }, (_, i) => `the_member_with_the_number_${i}`);
  const extra = names.flatMap((name, i) => [name, 1, i * 32]);
  const int: Record = { name: 'int', kind: INT, sizeOrType: 4, extra: [32] };
  const btf = parseBtf(buildBtf([int, { name: 'long', kind: STRUCT, vlen: 5000, sizeOrType: 20_000, extra }, int]));
  const lines = textOf(formatRaw(btf)).split('\n');
  expect(lines.slice(2, -2)).toEqual(names.map((name, i) => `\t'${name}' type_id=1 bits_offset=${i * 32}`));
  expect([lines[1], lines.at(-2), lines.at(-1)]).toEqual([
    "[2] STRUCT 'long' size=20000 vlen=5000",
    "[3] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=(none)",
    '',
  ]);
  expect(JSON.parse(textOf(formatJson(btf))).types[1].members).toHaveLength(5000);
});

test('no types are none', () => {
  const btf = parseBtf(buildBtf([]));
  expect([textOf(formatRaw(btf)), textOf(formatJson(btf))]).toEqual(['', '{"types":[]}\n']);
});

test('a string that does not end is told with its place', () => {
  const bytes = buildBtf([{ name: 'int', kind: INT, sizeOrType: 4, extra: [32] }]);
  bytes[bytes.length - 1] = 0x41;
  expect(() => textOf(formatRaw(parseBtf(bytes)))).toThrow(/^BTF is corrupt at byte \d+: a string does not end/);
});
