import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as btfPackage from '../src/index.ts';
import { BtfError, parseBtf } from '../src/index.ts';
import { buildBtf, type Record } from './build.ts';

test('the exported names', () => {
  expect(Object.keys(btfPackage).sort()).toMatchInlineSnapshot(`
    [
      "BtfError",
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
  /* 12 */ { name: 'task', kind: FUNC, sizeOrType: 11 },
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

  test('shows a type as its record says it', () => {
    expect(btf.type(0)).toEqual({ id: 0, kind: 'void', name: '' });
    expect(btf.type(2)).toEqual({ id: 2, kind: 'int', name: 'char', size: 1 });
    expect(btf.type(3)).toEqual({ id: 3, kind: 'array', name: '', typeId: 2 });
    expect(btf.type(8)).toEqual({ id: 8, kind: 'typedef', name: 'state_t', typeId: 6 });
    expect(btf.type(12)).toEqual({ id: 12, kind: 'func', name: 'task', typeId: 11 });
    expect(() => btf.type(13)).toThrow('there is no type with id 13');
    expect(() => btf.type(-1)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
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
    expect(() => btf.member('task', 'parent.pid')).toThrow("'task.parent' is a pointer: load it, then ask for 'pid'");
    expect(() => btf.member('task', 'flag')).toThrow("'task.flag' is a bitfield of 1 bits");
    expect(() => btf.hasMember('task', 'parent.pid')).toThrow(expect.objectContaining({ code: 'CROSSES_POINTER' }));
  });

  test('knows sizes', () => {
    expect([1, 3, 5, 7, 8, 9].map(btf.sizeOf)).toEqual([4, 16, 8, 8, 8, 56]);
    expect(() => btf.sizeOf(11)).toThrow('type 11, a func_proto, has no size');
  });
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

  test('end in an error when types go in circles', () => {
    const typedef = parseBtf(buildBtf([{ name: 'a', kind: TYPEDEF, sizeOrType: 1 }]));
    expect(() => typedef.sizeOf(1)).toThrow('the typedefs behind type 1 do not end');
    const array = parseBtf(buildBtf([{ kind: ARRAY, extra: [1, 1, 2] }]));
    expect(() => array.sizeOf(1)).toThrow('nested without end');
    const struct = parseBtf(buildBtf([{ name: 's', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: ['', 1, 0] }]));
    expect(() => struct.member('s', 'x')).toThrow('the anonymous members of type 1 are nested without end');
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
