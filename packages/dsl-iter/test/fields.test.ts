import { parseBtf } from '@bpf/btf';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import { array, bytes, char, s32, struct, u8, u16, u32, u64 } from '@bpf/btf/data';
import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import {
  copyField,
  copyFields,
  iterContext,
  readField,
  readString,
  seqPrintfBtf,
  setField,
  stackRecord,
  structPtr,
  taskFieldOffset,
  taskLoadPid,
  taskLoadTgid,
  writeRecord,
} from '../src/index.ts';

const types: BtfTypeData[] = [];
const int = (name: string, size: number, encoding: 'signed' | 'unsigned'): number =>
  types.push({ kind: 'int', name, size, bits: size * 8, bitOffset: 0, encoding });
const pointerTo = (typeId: number): number => types.push({ kind: 'ptr', name: '', typeId });
const member = (name: string, typeId: number, byte: number, bitSize = 0, bit = 0) => ({
  name,
  typeId,
  bitOffset: byte * 8 + bit,
  bitSize,
});
const INT = int('int', 4, 'signed');
const UINT = int('unsigned int', 4, 'unsigned');
const LONG = int('long', 8, 'signed');
const CHAR = int('char', 1, 'signed');
const COMM = types.push({ kind: 'array', name: '', typeId: CHAR, indexTypeId: UINT, length: 16 });
const TEXT = pointerTo(CHAR);
const TASK = types.length + 2; // after the pointer to it
const PARENT = pointerTo(TASK);
types.push({
  kind: 'struct',
  name: 'task_struct',
  size: 64,
  members: [
    member('state', LONG, 0),
    member('flags', UINT, 8),
    member('pid', INT, 12),
    member('tgid', INT, 16),
    member('low', UINT, 20, 3, 2),
    member('signed_low', INT, 24, 5),
    member('across', UINT, 28, 4, 6),
    member('wide', UINT, 29, 17, 4),
    member('parent', PARENT, 32),
    member('comm', COMM, 40),
    member('text', TEXT, 56),
  ],
});
const btf = parseBtf(encodeBtf(types));
const task = structPtr(btf, 'task_struct', 'r7');
const ctx = iterContext('task', 'r6');
const lines = (program: Program): string[] => format(program).split('\n');

test('a field is one load, and one more for each pointer, which may be NULL', () => {
  expect(lines(readField(task, 'r8', 'flags'))).toEqual(['r8 = *(u32 *)(r7 + 8)']);
  expect(lines(readField(task, 'r8', 'state'))).toEqual(['r8 = *(u64 *)(r7 + 0)']);
  expect(lines(readField(task, 'r8', 'parent'))).toEqual(['r8 = *(u64 *)(r7 + 32)']);
  expect(lines(readField(task, 'r8', 'parent.parent.flags'))).toEqual([
    'r8 = *(u64 *)(r7 + 32)',
    'if r8 == 0 goto +4',
    'r8 = *(u64 *)(r8 + 32)',
    'if r8 == 0 goto +2',
    'r8 = *(u32 *)(r8 + 8)',
    'goto +1',
    'r8 = 0',
  ]);
});

test('signed numbers are extended by their sign, bitfields cut out', () => {
  expect(lines(readField(task, 'r8', 'pid'))).toEqual(['r8 = *(u32 *)(r7 + 12)', 'r8 <<= 32', 'r8 s>>= 32']);
  expect(lines(readField(task, 'r8', 'low'))).toEqual(['r8 = *(u8 *)(r7 + 20)', 'r8 <<= 59', 'r8 >>= 61']);
  expect(lines(readField(task, 'r8', 'signed_low'))).toEqual(['r8 = *(u8 *)(r7 + 24)', 'r8 <<= 59', 'r8 s>>= 59']);
  // In as few bytes as there can be.
  expect(lines(readField(task, 'r8', 'across'))).toEqual(['r8 = *(u16 *)(r7 + 28)', 'r8 <<= 54', 'r8 >>= 60']);
  expect(lines(readField(task, 'r8', 'wide'))).toEqual(['r8 = *(u32 *)(r7 + 28)', 'r8 <<= 35', 'r8 >>= 47']);
  expect(lines(readField(task, 'r8', 'comm[1]'))).toEqual(['r8 = *(u8 *)(r7 + 41)', 'r8 <<= 56', 'r8 s>>= 56']);
});

test('what a register does not hold is copied', () => {
  expect(lines(copyField(task, 'comm', -16))).toEqual([
    'r3 = r7',
    'r3 += 40',
    'r1 = r10',
    'r1 += -16',
    'r2 = 16',
    'call 113',
  ]);
  expect(lines(copyField(task, 'parent.state', -8, 4))).toEqual([
    'r3 = *(u64 *)(r7 + 32)',
    'if r3 == 0 goto +1',
    'goto +1',
    'r3 = 0',
    'r1 = r10',
    'r1 += -8',
    'r2 = 4',
    'call 113',
  ]);
});

test('a string is an array or behind a pointer', () => {
  const call = ['*(u64 *)(r10 - 8) = 0', 'r1 = r10', 'r1 += -8', 'r2 = 8', 'call 115'];
  expect(lines(readString(task, 'comm', -8, 8))).toEqual(['r3 = r7', 'r3 += 40', ...call]);
  expect(lines(readString(task, 'text', -8, 8))).toEqual(['r3 = *(u64 *)(r7 + 56)', ...call]);
  expect(() => readString(task, 'pid', -8, 8)).toThrow("'pid' of 'task_struct' is no string: its type is int");
});

test('a field of the wrong size is refused', () => {
  expect(() => readField(task, 'r8', 'comm')).toThrow(
    "'comm' of 'task_struct' is no number or pointer: copyField and readString put its 16 bytes into the stack",
  );
  expect(() => copyField(task, 'comm', -32, 17)).toThrow("'comm' of 'task_struct' has 16 bytes: 17 bytes cannot");
  expect(() => copyField(task, 'low', -8)).toThrow(expect.objectContaining({ code: 'FIELD_SIZE' }));
  expect(() => readField(task, 'r8', 'comme')).toThrow("'task_struct' has no member 'comme'");
  // @ts-expect-error r1 is lost at the first helper call
  structPtr(btf, 'task_struct', 'r1');
});

test('a record is filled by the names of its fields, and written without what the stack held before', () => {
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
  expect(lines(writeRecord(ctx, row))).toEqual([
    ...['*(u8 *)(r10 - 39) = 0', '*(u16 *)(r10 - 38) = 0'],
    ...['r1 = *(u64 *)(r6 + 0)', 'r1 = *(u64 *)(r1 + 0)', 'r2 = r10', 'r2 += -40', 'r3 = 32', 'call 127'],
  ]);
  expect(lines(writeRecord('r8', stackRecord(struct({ a: u64, b: u32 }), -16)))[0]).toBe('*(u32 *)(r10 - 4) = 0');
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

test('task_struct, by the types of a kernel', () => {
  expect(taskFieldOffset(btf, 'comm')).toBe(40);
  expect(() => taskFieldOffset(btf, 'parent.pid')).toThrow("'parent.pid' of 'task_struct' has no byte offset in it");
  expect(lines([taskLoadPid(btf, 'r7', 'r8'), taskLoadTgid(btf, 'r7', 'r9')])).toEqual([
    'r8 = *(u32 *)(r7 + 12)',
    'r9 = *(u32 *)(r7 + 16)',
  ]);
});

test('seqPrintfBtf hands over the pointer and its type', () => {
  expect(lines(seqPrintfBtf(ctx, task, -16, ['compact', 'zero']))).toEqual([
    '*(u64 *)(r10 - 16) = r7',
    `*(u32 *)(r10 - 8) = ${TASK}`,
    '*(u32 *)(r10 - 4) = 0',
    ...['r1 = *(u64 *)(r6 + 0)', 'r1 = *(u64 *)(r1 + 0)', 'r2 = r10', 'r2 += -16', 'r3 = 16', 'r4 = 9', 'call 150'],
  ]);
  expect(() => seqPrintfBtf(ctx, structPtr(btf, 'tasks', 'r7'), -16)).toThrow("there is no struct 'tasks'");
});
