import { array, bytes, char, s32, struct, u8, u16, u32, u64 } from '@bpf/btf/data';
import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import {
  copyField,
  copyFields,
  currentPid,
  fieldAt,
  readString,
  setField,
  stackRecord,
  structPtr,
  zeroGaps,
} from '../src/index.ts';
import { btf } from './types.ts';

const task = structPtr(btf, 'task_struct', 'r7');
const lines = (program: Program): string[] => format(program).split('\n');

test('a record is filled by the names of its fields, with zeros between them', () => {
  const Row = struct({ small: u8, pid: s32, state: u64, comm: char(8), flags: u16, raw: bytes(6) });
  const row = stackRecord(Row, -40);
  expect(lines(copyFields(task, row, { pid: 'pid', state: 'parent.flags' }))).toEqual([
    ...['r0 = *(u32 *)(r7 + 12)', 'r0 <<= 32', 'r0 s>>= 32', '*(u32 *)(r10 - 36) = r0'],
    ...['r0 = *(u64 *)(r7 + 32)', 'if r0 == 0 goto +2', 'r0 = *(u32 *)(r0 + 8)', 'goto +1', 'r0 = 0'],
    '*(u64 *)(r10 - 32) = r0',
  ]);
  expect(lines(copyFields(task, row, { comm: 'comm', raw: 'comm' }))).toEqual(
    lines([readString(task, 'comm', -24, 8), copyField(task, 'comm', -14, 6)]),
  );
  expect(lines([setField(row, 'flags', 7), setField(row, 'small', 'r8')])).toEqual([
    '*(u16 *)(r10 - 16) = 7',
    '*(u8 *)(r10 - 40) = r8',
  ]);
  expect(lines(setField(row, 'pid', currentPid()))).toEqual(['call 14', 'r0 >>= 32', '*(u32 *)(r10 - 36) = r0']);
  expect(lines(zeroGaps(row))).toEqual(['*(u8 *)(r10 - 39) = 0', '*(u16 *)(r10 - 38) = 0']);
  expect(lines(zeroGaps(stackRecord(struct({ a: u64, b: u32 }), -16)))).toEqual(['*(u32 *)(r10 - 4) = 0']);
  expect(zeroGaps(stackRecord(struct({ a: u64 }), -8))).toEqual([]);
});

test('a record takes what fits', () => {
  const row = stackRecord(struct({ pid: u16, numbers: array(u32, 4), name: char(16) }), -40);
  expect(() => copyFields(task, row, { pid: 'state' })).toThrow(
    "'state' of 'task_struct' has 64 bits, and 'pid' only 16",
  );
  expect(lines(copyFields(task, row, { pid: 'low' }))).toHaveLength(4);
  expect(() => copyFields(task, row, { name: 'pid' })).toThrow("'pid' of 'task_struct' is no string");
  expect(() => copyFields(task, row, { numbers: 'pid' })).toThrow(expect.objectContaining({ code: 'FIELD_SIZE' }));
  const packed = stackRecord(struct({ a: u8, b: u32 }, { packed: true }), -8);
  expect(() => setField(packed, 'b', 0)).toThrow("setField: 'b': -7 is not a multiple of 4");
  expect(lines(copyFields(task, packed, { b: 'flags' }))).toEqual(lines(copyField(task, 'flags', -7)));
  expect(() => setField(row, 'numbers', 0)).toThrow("setField: 'numbers' has 16 bytes, and a register has 8");
  // @ts-expect-error there is no such field
  expect(() => copyFields(task, row, { tgid: 'tgid' })).toThrow("the record has no field 'tgid'; it has pid, numbers");
  // @ts-expect-error there is no such field
  expect(() => setField(row, 'tgid', 1)).toThrow(expect.objectContaining({ code: 'UNKNOWN_FIELD' }));
  expect(() => stackRecord(struct({ a: u64 }), -4)).toThrow(expect.objectContaining({ code: 'STACK_RANGE' }));
});

test('where a field lies', () => {
  const Row = struct({ pid: u32, comm: char(16) });
  const row = stackRecord(Row, -24);
  expect([row.at, row.size]).toEqual([-24, Row.size]);
  expect(fieldAt(row, 'comm')).toBe(-24 + Row.offsets.comm);
  // @ts-expect-error there is no such field
  expect(() => fieldAt(row, 'com')).toThrow("the record has no field 'com'; it has pid, comm");
});
