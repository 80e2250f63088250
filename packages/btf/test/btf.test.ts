import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as btfPackage from '../src/index.ts';
import { type Btf, BtfError, parseBtf } from '../src/index.ts';
import { buildBtf, type Record } from './build.ts';

test('the exported names', () => {
  expect(Object.keys(btfPackage).sort()).toMatchInlineSnapshot(`
    [
      "BtfError",
      "btfSection",
      "parseBtf",
    ]
  `);
});

const INT = 1;
const PTR = 2;
const ARRAY = 3;
const STRUCT = 4;
const UNION = 5;
const TYPEDEF = 8;
const VOLATILE = 9;
const FUNC = 12;
const FUNC_PROTO = 13;
const ENUM = 6;
const FWD = 7;
const VAR = 14;
const DATASEC = 15;
const FLOAT = 16;
const DECL_TAG = 17;
const TYPE_TAG = 18;
const ENUM64 = 19;

// struct task { int pid; const-like chain to long state; union { char comm[16]; int first; }; struct task *parent;
//               unsigned flag : 1; struct { int inner; } named; };
const records: Record[] = [
  /* 1 */ { name: 'int', kind: INT, sizeOrType: 4, extra: [0x0100_0020] },
  /* 2 */ { name: 'char', kind: INT, sizeOrType: 1, extra: [0x0100_0008] },
  /* 3 */ { kind: ARRAY, extra: [2, 1, 16] },
  /* 4 */ { kind: UNION, vlen: 2, sizeOrType: 16, extra: ['comm', 3, 0, 'first', 1, 0] },
  /* 5 */ { kind: PTR, sizeOrType: 9 },
  /* 6 */ { name: 'long', kind: INT, sizeOrType: 8, extra: [0x0100_0040] },
  /* 7 */ { kind: VOLATILE, sizeOrType: 8 },
  /* 8 */ { name: 'state_t', kind: TYPEDEF, sizeOrType: 6 },
  /* 9 */ {
    name: 'task',
    kind: STRUCT,
    vlen: 6,
    kindFlag: true,
    sizeOrType: 56,
    extra: ['pid', 1, 0, 'state', 7, 64, '', 4, 128, 'parent', 5, 256, 'flag', 1, (1 << 24) | 320, 'named', 10, 352],
  },
  /* 10 */ { kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['inner', 1, 0] },
  /* 11 */ { kind: FUNC_PROTO, vlen: 1, sizeOrType: 1, extra: ['task', 5] },
  /* 12 */ { name: 'task', kind: FUNC, vlen: 1, sizeOrType: 11 },
  /* 13 */ { name: 'pair', kind: STRUCT, vlen: 2, sizeOrType: 16, extra: ['a', 6, 0, 'b', 6, 64] },
  // long f(int n, struct pair p, enum mode m, struct task *t, ...)
  /* 14 */ { kind: FUNC_PROTO, vlen: 5, sizeOrType: 6, extra: ['n', 1, 'p', 13, 'm', 16, 't', 5, '', 0] },
  /* 15 */ { name: 'f', kind: FUNC, vlen: 1, sizeOrType: 14 },
  /* 16 */ { name: 'mode', kind: ENUM, vlen: 2, kindFlag: true, sizeOrType: 4, extra: ['ON', 1, 'OFF', 0xffff_ffff] },
  /* 17 */ { name: 'big', kind: ENUM64, vlen: 1, sizeOrType: 8, extra: ['HUGE', 5, 0xffff_ffff] },
  /* 18 */ { kind: FUNC_PROTO, sizeOrType: 0 },
  /* 19 */ { name: 'nothing', kind: FUNC, sizeOrType: 18 },
  /* 20 */ { name: 'v', kind: VAR, sizeOrType: 1, extra: [1] },
  /* 21 */ { name: '.data', kind: DATASEC, vlen: 1, sizeOrType: 4, extra: [20, 0, 4] },
  /* 22 */ { name: 'opaque', kind: FWD, kindFlag: true },
  /* 23 */ { name: 'user', kind: TYPE_TAG, sizeOrType: 1 },
  /* 24 */ { name: 'tagged', kind: DECL_TAG, sizeOrType: 9, extra: [0xffff_ffff] },
  /* 25 */ { name: 'double', kind: FLOAT, sizeOrType: 8 },
  /* 26 */ { name: 'bpf_iter__task', kind: STRUCT, sizeOrType: 16 },
  /* 27 */ { kind: PTR, sizeOrType: 26 },
  /* 28 */ { kind: FUNC_PROTO, vlen: 2, sizeOrType: 1, extra: ['meta', 27, 'fd', 1] },
  /* 29 */ { name: 'bpf_iter_unregister', kind: FUNC, sizeOrType: 11 },
  /* 30 */ { name: 'bpf_iter_task', kind: FUNC, sizeOrType: 28 },
];

describe.each([
  ['little', true],
  ['big', false],
] as const)('%s-endian BTF', (_, littleEndian) => {
  const btf = parseBtf(buildBtf(records, littleEndian));

  test('finds by kind and name', () => {
    expect(btf.find('struct', 'task')).toBe(9);
    expect(btf.find('func', 'task')).toBe(12);
    expect(btf.find('typedef', 'state_t')).toBe(8);
    expect(btf.find('func', 'tas')).toBeUndefined();
    expect(btf.find('func', 'task2')).toBeUndefined();
  });

  test('shows a type of every kind as its record says it', () => {
    const signed = { bitOffset: 0, encoding: 'signed' };
    expect(btf.count).toBe(30);
    expect([0, 2, 3, 5, 8, 12, 18, 20, 21, 22, 23, 24, 25].map(btf.type)).toEqual([
      { id: 0, kind: 'void', name: '' },
      { id: 2, kind: 'int', name: 'char', size: 1, bits: 8, ...signed },
      { id: 3, kind: 'array', name: '', typeId: 2, indexTypeId: 1, length: 16 },
      { id: 5, kind: 'ptr', name: '', typeId: 9 },
      { id: 8, kind: 'typedef', name: 'state_t', typeId: 6 },
      { id: 12, kind: 'func', name: 'task', typeId: 11, linkage: 'global' },
      { id: 18, kind: 'func_proto', name: '', returnTypeId: 0, params: [] },
      { id: 20, kind: 'var', name: 'v', typeId: 1, linkage: 'global' },
      { id: 21, kind: 'datasec', name: '.data', size: 4, vars: [{ typeId: 20, offset: 0, size: 4 }] },
      { id: 22, kind: 'fwd', name: 'opaque', of: 'union' },
      { id: 23, kind: 'type_tag', name: 'user', typeId: 1 },
      { id: 24, kind: 'decl_tag', name: 'tagged', typeId: 9, componentIndex: -1 },
      { id: 25, kind: 'float', name: 'double', size: 8 },
    ]);
    expect(btf.type(16)).toMatchObject({
      signed: true,
      values: [
        { name: 'ON', value: 1 },
        { name: 'OFF', value: -1 },
      ],
    });
    expect(btf.type(17)).toMatchObject({ values: [{ name: 'HUGE', value: 0xffff_ffff_0000_0005n }] });
    expect(btf.type(9)).toMatchObject({ members: { length: 6, 4: { name: 'flag', bitOffset: 320, bitSize: 1 } } });
    expect([...btf.all('func')].map(({ name }) => name)).toEqual([
      'task',
      'f',
      'nothing',
      'bpf_iter_unregister',
      'bpf_iter_task',
    ]);
    expect(() => btf.type(31)).toThrow('there is no type with id 31');
    expect(() => btf.type(-1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  });

  test('finds by the index that many look-ups share what it finds by scanning', () => {
    const names = [...btf.all('func'), ...btf.all('struct'), ...btf.all('int')].filter(({ name }) => name !== '');
    for (let round = 0; round < 5; round++)
      for (const { kind, name, id } of names) expect(btf.find(kind, name)).toBe(id);
    expect(btf.find('func', 'tas')).toBeUndefined();
    expect(btf.find('union', 'task')).toBeUndefined();
  });

  test('follows pointers, arrays and bitfields', () => {
    expect(btf.access('task', 'parent.parent.pid')).toEqual({ pointers: [32, 32], offset: 0, size: 4, typeId: 1 });
    expect(btf.access('task', 'comm[3]')).toEqual({ pointers: [], offset: 19, size: 1, typeId: 2 });
    expect(btf.access('task', 'parent[2].state')).toEqual({ pointers: [32], offset: 120, size: 8, typeId: 7 });
    expect(btf.access('task', 'flag')).toEqual({
      pointers: [],
      offset: 40,
      size: 1,
      typeId: 1,
      bitfield: { offset: 0, size: 1 },
    });
    expect(() => btf.access('task', 'comm[16]')).toThrow("'task.comm' has 16 elements and no element [16]");
    expect(() => btf.access('task', 'pid[0]')).toThrow("'task.pid' is a int and has no element [0]");
    expect(() => btf.access('task', 'flag.x')).toThrow("'task.flag' is a bitfield and has no member 'x'");
    expect(() => btf.access('task', 'comm[x]')).toThrow(
      "'comm[x]' is not a path: expected .name or [number] at character 5",
    );
    expect(() => btf.access('task', '')).toThrow('a path names at least one member');
  });

  test('finds declaration tags and iterator targets', () => {
    expect(btf.tags(9).map(({ name }) => name)).toEqual(['tagged']);
    expect(btf.tags(12)).toEqual([]);
    expect(btf.iterTargets()).toEqual([
      {
        name: 'task',
        funcId: 30,
        fields: [
          { name: 'meta', offset: 0, size: 8, pointer: true, typeId: 27 },
          { name: 'fd', offset: 8, size: 4, pointer: false, typeId: 1 },
        ],
      },
    ]);
  });

  test('lays out arguments as tracing programs find them', () => {
    const f = btf.func('f');
    expect(
      f.params.map(({ name, slot, slots, size, signed, kind }) => [name, slot, slots, size, signed, kind]),
    ).toEqual([
      ['n', 0, 1, 4, true, 'int'],
      ['p', 1, 2, 16, false, 'struct'],
      ['m', 3, 1, 4, true, 'enum'],
      ['t', 4, 1, 8, false, 'ptr'],
    ]);
    expect(f).toMatchObject({ variadic: true, returns: { slot: 5, size: 8, signed: true } });
    expect(btf.func('nothing')).toMatchObject({ params: [], returns: undefined, variadic: false });
    expect(() => btf.func('g')).toThrow("there is no function 'g' in this BTF");
    expect(() => btf.func(9)).toThrow("type 9 'task' is a struct, not a function");
  });

  test('finds members, through anonymous ones, typedefs and embedded structs', () => {
    expect(btf.member('task', 'pid')).toEqual({ offset: 0, size: 4, typeId: 1 });
    expect(btf.member('task', 'state')).toEqual({ offset: 8, size: 8, typeId: 7 });
    expect(btf.member('task', 'comm')).toEqual({ offset: 16, size: 16, typeId: 3 });
    expect(btf.member('task', 'first')).toEqual({ offset: 16, size: 4, typeId: 1 });
    expect(btf.member('task', 'parent')).toEqual({ offset: 32, size: 8, typeId: 5 });
    expect(btf.member(9, 'named.inner')).toEqual({ offset: 44, size: 4, typeId: 1 });
    expect(btf.hasMember('task', 'first')).toBe(true);
    expect(btf.hasMember('task', 'last')).toBe(false);
  });

  test('says why a path does not lead to a member', () => {
    expect(() => btf.member('tusk', 'pid')).toThrow("there is no struct or union 'tusk' in this BTF");
    expect(() => btf.member('task', 'tid')).toThrow("'task' has no member 'tid'");
    expect(() => btf.member('task', 'pid.x')).toThrow("'task.pid' is a int and has no member 'x'");
    expect(() => btf.member('task', 'parent.pid')).toThrow("'parent.pid' of 'task' crosses a pointer");
    expect(() => btf.member('task', 'flag')).toThrow("'flag' of 'task' is a bitfield of 1 bits");
    expect(() => btf.hasMember('task', 'parent.pid')).toThrow(expect.objectContaining({ code: 'CROSSES_POINTER' }));
  });

  test('knows sizes', () => {
    expect([1, 3, 5, 7, 8, 9].map(btf.sizeOf)).toEqual([4, 16, 8, 8, 8, 56]);
    expect([1, 3, 5, 7, 9, 13].map(btf.alignOf)).toEqual([4, 1, 8, 8, 8, 8]);
    expect(() => btf.sizeOf(0)).toThrow('void has no size');
    expect(() => btf.sizeOf(11)).toThrow('type 11, a func_proto, has no size');
  });
});

test('types are found in any order', () => {
  const kindsOfSizes: Record[] = [
    { name: 'f', kind: FWD },
    { name: 'i', kind: INT, sizeOrType: 4, extra: [0x20] },
    { name: 's', kind: STRUCT, vlen: 2, sizeOrType: 8, extra: ['a', 2, 0, 'b', 2, 32] },
  ];
  const records = Array.from({ length: 5000 }, (_, i) => kindsOfSizes[(i * 7) % 3] as Record);
  const btf = parseBtf(buildBtf(records));
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: records.length }), { minLength: 1 }), (ids) => {
      for (const id of ids) expect(btf.type(id).name).toBe(records[id - 1]?.name);
    }),
  );
  expect(btf.count).toBe(records.length);
  expect(() => btf.type(records.length + 1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

describe('bytes that are not BTF', () => {
  const good = buildBtf(records);
  const changed = (at: number, ...bytes: number[]): Uint8Array => {
    const copy = good.slice();
    copy.set(bytes, at);
    return copy;
  };

  test('are refused with the place', () => {
    expect(() => parseBtf(new Uint8Array(10))).toThrow('BTF is corrupt at byte 0: 10 bytes are too few');
    expect(() => parseBtf(changed(0, 0x7f, 0x45))).toThrow('the magic is 0x457f, not 0xeb9f');
    expect(() => parseBtf(changed(2, 9))).toThrow('at byte 2: version 9 is unknown');
    expect(() => parseBtf(changed(12, 0xff, 0xff))).toThrow(/at byte 8: a section of bytes 24\.\.\d+ does not lie in/);
    expect(() => parseBtf(changed(31, 31)).type(1)).toThrow('at byte 28: kind 31 is unknown');
    expect(() => parseBtf(changed(31, 0)).find('func', 'x')).toThrow('kind 0 is unknown');
    expect(() => parseBtf(changed(24, 0xff, 0xff)).type(1)).toThrow('a string does not end inside the string section');
  });

  test('do not keep from what lies before', () => {
    const many = Array.from({ length: 3000 }, (_, i): Record => ({ name: `t${i + 1}`, kind: FWD }));
    const bytes = buildBtf(many);
    const broken = 2000;
    bytes[24 + (broken - 1) * 12 + 7] = 31;
    const btf = parseBtf(bytes);
    expect(btf.find('fwd', `t${broken - 1}`)).toBe(broken - 1);
    expect(btf.type(broken - 1)).toMatchObject({ name: `t${broken - 1}` });
    for (const ask of [() => btf.type(broken), () => btf.find('fwd', 'other'), () => btf.count])
      expect(ask).toThrow(`at byte ${24 + (broken - 1) * 12 + 4}: kind 31 is unknown`);
  });

  test('end in an error when types go in circles', () => {
    const typedef = parseBtf(buildBtf([{ name: 'a', kind: TYPEDEF, sizeOrType: 1 }]));
    expect(() => typedef.sizeOf(1)).toThrow('the typedefs behind type 1 do not end');
    const array = parseBtf(buildBtf([{ kind: ARRAY, extra: [1, 1, 2] }]));
    expect(() => array.sizeOf(1)).toThrow('nested without end');
    const variable = parseBtf(buildBtf([{ name: 'v', kind: VAR, sizeOrType: 1, extra: [0] }]));
    expect(() => variable.sizeOf(1)).toThrow('nested without end');
    const struct = parseBtf(buildBtf([{ name: 's', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['', 1, 0] }]));
    expect(() => struct.member('s', 'x')).toThrow("'s' has no member 'x'");
    expect(struct.alignOf(1)).toBe(1);
  });

  test('do not make a search explode that doubles with every level', () => {
    // Structs that hold the next one twice, and at last an int.
    const nested = (depth: number): Btf => {
      const levels = Array.from({ length: depth }, (_, i): Record => {
        return { name: `l${i}`, kind: STRUCT, vlen: 2, sizeOrType: 8, extra: ['', i + 2, 0, '', i + 2, 32] };
      });
      return parseBtf(buildBtf([...levels, { name: 'int', kind: INT, sizeOrType: 4, extra: [0x20] }]));
    };
    expect(() => nested(30).member('l0', 'x')).toThrow("'l0' has no member 'x'");
    expect(nested(30).alignOf(1)).toBe(4);
    expect(() => nested(20_000).member('l0', 'x')).toThrow('are nested without end');
    expect(() => nested(20_000).alignOf(1)).toThrow('is nested without end');
  });

  test('never end in anything but a BtfError', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = good.slice();
          for (const [at, byte] of changes) bytes[at] = byte;
          expectOnlyBtfErrors(() => {
            const btf = parseBtf(bytes);
            btf.find('func', 'nothing');
            btf.member('task', 'named.inner');
            btf.sizeOf(3);
            btf.func('f');
            btf.alignOf(9);
            for (let id = 1; id <= btf.count; id++) btf.type(id);
          });
        },
      ),
      { numRuns: 2000 },
    );
  });
});

const vmlinux = '/sys/kernel/btf/vmlinux';

test.skipIf(!existsSync(vmlinux))(`${vmlinux}, cut or changed, ends in a BtfError or an answer`, () => {
  const bytes = readFileSync(vmlinux);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
      const broken = cut ? bytes.subarray(0, at) : bytes;
      const before = bytes[at] as number;
      if (!cut) bytes[at] = byte;
      expectOnlyBtfErrors(() => parseBtf(broken).member('task_struct', 'comm'));
      bytes[at] = before;
    }),
    { numRuns: 200 },
  );
});

function expectOnlyBtfErrors(run: () => void): void {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(BtfError);
  }
}

test('split BTF goes on where its base ends', () => {
  const base = parseBtf(buildBtf(records));
  // A module's struct, whose members are of the base's types; its strings go on from those of the base, too.
  const split = buildBtf([
    { name: 'device', kind: STRUCT, vlen: 1, sizeOrType: 56, extra: ['owner', 9, 0] },
    { kind: PTR, sizeOrType: 31 },
  ]);
  const view = new DataView(split.buffer);
  const shift = new DataView(buildBtf(records).buffer).getUint32(20, true);
  for (const at of [24, 36]) view.setUint32(at, view.getUint32(at, true) + shift, true);
  const btf = parseBtf(split, { base });
  expect(btf.count).toBe(32);
  expect(btf.find('struct', 'device')).toBe(31);
  expect(btf.find('struct', 'task')).toBe(9);
  expect(btf.type(32)).toEqual({ id: 32, kind: 'ptr', name: '', typeId: 31 });
  expect(btf.member('device', 'owner.named.inner')).toEqual({ offset: 44, size: 4, typeId: 1 });
  expect(() => parseBtf(buildBtf(records, false), { base })).toThrow('its byte order is not that of its base');
});
