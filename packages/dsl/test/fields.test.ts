import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { copyField, readField, readString, structPtr } from '../src/index.ts';
import { btf, taskId } from './types.ts';

const task = structPtr(btf, 'task_struct', 'r7');
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

test('a struct is told by its name or its id', () => {
  const byId = structPtr(btf, taskId, 'r7');
  expect(lines(readField(byId, 'r8', 'parent.flags'))).toEqual(lines(readField(task, 'r8', 'parent.flags')));
  expect(() => readField(byId, 'r8', 'comm')).toThrow("'comm' of 'task_struct' is no number or pointer");
});
