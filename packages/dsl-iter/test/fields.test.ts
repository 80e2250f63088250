import { struct, u8, u32, u64 } from '@bpf/btf/data';
import { stackRecord, structPtr } from '@bpf/dsl';
import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { btf, taskId } from '../../dsl/test/types.ts';
import { iterContext, seqPrintfBtf, taskFieldOffset, taskLoadPid, taskLoadTgid, writeRecord } from '../src/index.ts';

const task = structPtr(btf, 'task_struct', 'r7');
const lines = (program: Program): string[] => format(program).split('\n');
const ctx = iterContext('task', 'r6');

test('a record is written without what the stack held before', () => {
  const row = stackRecord(struct({ small: u8, number: u32 }), -40);
  expect(lines(writeRecord(ctx, row))).toEqual([
    ...['*(u8 *)(r10 - 39) = 0', '*(u16 *)(r10 - 38) = 0'],
    ...['r1 = *(u64 *)(r6 + 0)', 'r1 = *(u64 *)(r1 + 0)', 'r2 = r10', 'r2 += -40', 'r3 = 8', 'call 127'],
  ]);
  expect(lines(writeRecord('r8', stackRecord(struct({ a: u64, b: u32 }), -16)))[0]).toBe('*(u32 *)(r10 - 4) = 0');
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
    `*(u32 *)(r10 - 8) = ${taskId}`,
    '*(u32 *)(r10 - 4) = 0',
    ...['r1 = *(u64 *)(r6 + 0)', 'r1 = *(u64 *)(r1 + 0)', 'r2 = r10', 'r2 += -16', 'r3 = 16', 'r4 = 9', 'call 150'],
  ]);
  expect(lines(seqPrintfBtf(ctx, structPtr(btf, taskId, 'r7'), -16))[1]).toBe(`*(u32 *)(r10 - 8) = ${taskId}`);
  expect(() => seqPrintfBtf(ctx, structPtr(btf, 'tasks', 'r7'), -16)).toThrow("there is no struct 'tasks'");
});
