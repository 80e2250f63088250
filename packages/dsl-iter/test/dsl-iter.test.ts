import { assemble, type Program } from '@bpf/insn';
import { expect, test } from 'vitest';
import * as dsl from '../src/index.ts';
import {
  checkNullAndExit,
  contextOffset,
  iterContext,
  loadCtxPtr,
  loadMetaField,
  makeIterInfo,
  prologue,
  prologueWithMeta,
  returnContinue,
  seqWrite,
} from '../src/index.ts';

const hex = (program: Program): string =>
  Array.from(assemble(program), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/.{16}(?=.)/g, '$& ');

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "IterError",
      "checkNullAndExit",
      "contextOffset",
      "iterContext",
      "iterTargets",
      "loadCtxPtr",
      "loadMetaField",
      "makeIterInfo",
      "metaFields",
      "prologue",
      "prologueWithMeta",
      "returnContinue",
      "seqWrite",
    ]
  `);
});

const ctx = iterContext('task', 'r6');

// Checked with llvm-mc and against a kernel.
test.each<[string, Program, string]>([
  ['prologue', prologue(ctx), 'bf16000000000000'],
  ['prologueWithMeta', prologueWithMeta(ctx, 'r8'), 'bf16000000000000 7968000000000000'],
  ['loadCtxPtr', [loadCtxPtr(ctx, 'r7', 'task')], '7967080000000000'],
  ['loadCtxPtr of a number', [loadCtxPtr(iterContext('task_file', 'r6'), 'r7', 'fd')], '6167100000000000'],
  ['loadMetaField', [loadMetaField('r8', 'r1', 'seq_num')], '7981100000000000'],
  ['checkNullAndExit', checkNullAndExit('r7'), '5507020000000000 b700000000000000 9500000000000000'],
  ['returnContinue', returnContinue(), 'b700000000000000 9500000000000000'],
  ['seqWrite', seqWrite('r8', 'r9', 4), '7981000000000000 bf92000000000000 b703000004000000 850000007f000000'],
  [
    'seqWrite from the stack',
    seqWrite('r8', -16, 'r7'),
    '7981000000000000 bfa2000000000000 07020000f0ffffff bf73000000000000 850000007f000000',
  ],
])('%s', (_, program, bytes) => {
  expect(hex(program)).toBe(bytes);
});

test('a field that the context lacks is an error at compile time and at run time', () => {
  // @ts-expect-error a task has no map
  expect(() => loadCtxPtr(ctx, 'r7', 'map')).toThrow(
    "the context of iterator 'task' has no field 'map'; it has meta, task",
  );
  // @ts-expect-error a task has no map
  expect(() => contextOffset('task', 'map')).toThrow(expect.objectContaining({ code: 'UNKNOWN_FIELD' }));
  // @ts-expect-error there is no such iterator
  expect(() => iterContext('tasks', 'r6')).toThrow("there is no iterator 'tasks'; there are task, task_file");
  // @ts-expect-error r1 is lost at the first helper call
  iterContext('task', 'r1');
});

test('an operand that would be overwritten before it is read is refused', () => {
  expect(() => seqWrite('r8', 'r1', 4)).toThrow(
    'seqWrite overwrites r1 before it reads data from it: keep it in r6 to r9',
  );
  expect(() => seqWrite('r8', -8, 'r2')).toThrow(expect.objectContaining({ code: 'REGISTER_CLOBBERED' }));
  expect(() => seqWrite('r8', 'r2', 'r3')).not.toThrow();
});

test('info is inert data', () => {
  expect(makeIterInfo('ps', 'task', [])).toEqual({
    name: 'ps',
    section: 'iter/task',
    type: 'tracing',
    attachType: 'trace_iter',
    attachTo: 'task',
    instructions: [],
  });
});
