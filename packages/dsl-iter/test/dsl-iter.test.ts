import { allocStackBuffer, probeReadKernel, probeReadKernelStr } from '@bpf/dsl';
import { assemble, jne, label, lddw, mov, type Program, slotCount } from '@bpf/insn';
import { helperName } from '@bpf/insn/helpers';
import { expect, expectTypeOf, test } from 'vitest';
import * as dsl from '../src/index.ts';
import {
  buildIterProgram,
  checkNull,
  checkNullAndExit,
  contextOffset,
  exitIfStopped,
  type IterField,
  iteratorTypes,
  iterContext,
  iterHelperIds,
  iterProgram,
  iterReturnValues,
  iterSectionName,
  iterTargets,
  libbpfSectionName,
  loadCtxPtr,
  makeIterInfo,
  minimalTaskIterator,
  prologue,
  prologueWithMeta,
  returnContinue,
  returnStop,
  returnValue,
  seqPrintf,
  seqWrite,
} from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "buildIterProgram",
      "checkNull",
      "checkNullAndExit",
      "contextOffset",
      "exitIfStopped",
      "iterContext",
      "iterHelperIds",
      "iterProgram",
      "iterReturn",
      "iterReturnValues",
      "iterSectionName",
      "iterTargets",
      "iteratorTypes",
      "libbpfSectionName",
      "loadCtxPtr",
      "loadMetaField",
      "loadOrExit",
      "makeIterInfo",
      "metaFields",
      "minimalTaskIterator",
      "prologue",
      "prologueWithMeta",
      "returnContinue",
      "returnStop",
      "returnValue",
      "seqPrintf",
      "seqPrintfBtf",
      "seqPrintfBtfFlags",
      "seqWrite",
      "stopIteration",
      "taskFieldOffset",
      "taskLoadPid",
      "taskLoadTgid",
      "taskNullCheckTemplate",
      "writeRecord",
    ]
  `);
});

const hex = (program: Program): string =>
  Array.from(assemble(program, { maps: { stop: 42 } }), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/.{16}(?=.)/g, '$& ');

const ctx = iterContext('task', 'r6');

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
  // @ts-expect-error the kernel's name of the field is sk_common
  expect(() => contextOffset('tcp', 'tcp_sk')).toThrow('it has meta, sk_common, uid');
  // @ts-expect-error there is no other action
  returnValue('restart');
});

test('each context has its own fields, as types', () => {
  expectTypeOf<IterField<'task'>>().toEqualTypeOf<'meta' | 'task'>();
  expectTypeOf<IterField<'task_file'>>().toEqualTypeOf<'meta' | 'task' | 'fd' | 'file'>();
  expectTypeOf<IterField<'bpf_map_elem'>>().toEqualTypeOf<'meta' | 'map' | 'key' | 'value'>();
  expectTypeOf<IterField<'udp'>>().toEqualTypeOf<'meta' | 'udp_sk' | 'uid' | 'bucket'>();
  expectTypeOf<IterField<'cgroup'>>().toEqualTypeOf<'meta' | 'cgroup'>();
  expectTypeOf(iterSectionName('tcp')).toEqualTypeOf<'iter/bpf_iter__tcp'>();
  expectTypeOf(iterProgram('ksym', 'all', () => []).attachTo).toEqualTypeOf<'ksym'>();
});

test('numbers are loaded with 4 bytes, pointers with 8', () => {
  const sizes = Object.keys(iterTargets).flatMap((name) => {
    const target = name as 'task';
    return Object.keys(iterTargets[target]).map((field) => {
      const { size } = loadCtxPtr(iterContext(target, 'r6'), 'r7', field as 'task');
      return size === 'w' ? [`${target}.${field}`] : [];
    });
  });
  expect(sizes.flat()).toEqual(['task_file.fd', 'tcp.uid', 'udp.uid', 'udp.bucket', 'unix.uid']);
});

test('operands that wait for each other are refused', () => {
  expect(() => seqWrite('r2', 'r1', 4)).toThrow(
    "seqWrite: its operands in r2 and r1 wait for each other's register; keep them in r6 to r9",
  );
  expect(() => probeReadKernel('r3', 4, 'r1')).toThrow(expect.objectContaining({ code: 'REGISTER_CLOBBERED' }));
  expect(hex(seqWrite('r1', 'r2', 'r3'))).toBe('7911000000000000 850000007f000000');
});

test('what is not in the stack is refused', () => {
  expect(() => seqWrite(ctx, -8, 16)).toThrow(
    'seqWrite: 16 bytes at -8 are not in the stack, whose offsets are -512..-1',
  );
  expect(() => seqWrite(ctx, 0, 'r7')).toThrow(expect.objectContaining({ code: 'STACK_RANGE' }));
  expect(() => allocStackBuffer('r9', -520)).toThrow(expect.objectContaining({ code: 'STACK_RANGE' }));
  expect(() => probeReadKernelStr(-8, 9, 'r7')).toThrow(expect.objectContaining({ code: 'STACK_RANGE' }));
  expect(() => seqPrintf(ctx, 'hello %d\n', ['r7'], -16)).toThrow('seqPrintf: 24 bytes at -16 are not in the stack');
  expect(() => seqPrintf(ctx, 'hi', [], -12)).toThrow('seqPrintf: -12 is not a multiple of 8');
});

test('a format that the kernel would refuse when it runs is refused before', () => {
  expect(() => seqPrintf(ctx, '%d %d', ['r7'], -32)).toThrow('seqPrintf: "%d %d" wants 2 arguments and gets 1');
  expect(() => seqPrintf(ctx, '%%', ['r7'], -32)).toThrow(expect.objectContaining({ code: 'FORMAT' }));
  expect(() => seqPrintf(ctx, 'ä', [], -32)).toThrow('not printable ASCII');
  expect(() => seqPrintf(ctx, '%d'.repeat(13), new Array(13).fill(0), -200)).toThrow("more than the kernel's 12");
  expect(slotCount(seqPrintf(ctx, '%d'.repeat(12), new Array(12).fill(0), -200))).toBe(12 + 7 + 9);
});

test('a program is its prologue, body and return', () => {
  const body: Program = [loadCtxPtr(ctx, 'r7', 'task'), checkNullAndExit('r7')];
  expect(hex(buildIterProgram({ ctx, body }))).toBe(hex([prologue(ctx), body, returnContinue()]));
  expect(hex(buildIterProgram({ ctx, meta: 'r8', body, action: 'stop' }))).toBe(
    hex([prologueWithMeta(ctx, 'r8'), body, returnStop()]),
  );
  // What is never reached is left out: the verifier would refuse it.
  expect(hex(buildIterProgram({ ctx, body: returnContinue() }))).toBe(hex(minimalTaskIterator()));
  const jumps: Program = [lddw('r8', 1), checkNull('r7', 2), returnContinue()];
  expect(hex(buildIterProgram({ ctx, body: jumps }))).toBe(hex([prologue(ctx), jumps, returnContinue()]));
  const short: Program = [checkNull('r7', 1), mov('r1', 0), lddw('r8', 1), returnContinue()];
  expect(hex(buildIterProgram({ ctx, body: short }))).toBe(hex([prologue(ctx), short]));
  const named: Program = [checkNull('r7', 'end'), returnStop(), label('end')];
  expect(hex(buildIterProgram({ ctx, body: named }))).toBe(hex([prologue(ctx), named, returnContinue()]));
  expect(iterProgram('task', 'ps', (own) => [loadCtxPtr(own, 'r7', 'task'), checkNullAndExit('r7')])).toEqual(
    makeIterInfo('ps', 'task', buildIterProgram({ ctx, body })),
  );
});

test('sequences hold no labels, so that each may be used often', () => {
  const twice = [seqPrintf(ctx, '%d', ['r7'], -16), exitIfStopped(ctx, 'stop'), checkNullAndExit('r7')];
  expect(() => hex([twice, twice, jne('r7', 1, 'out'), mov('r1', 0), label('out'), returnContinue()])).not.toThrow();
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

test('names and numbers', () => {
  expect(iterSectionName('bpf_map')).toBe('iter/bpf_iter__bpf_map');
  expect(libbpfSectionName('bpf_map')).toBe('iter/bpf_map');
  expect(iteratorTypes.tcp).toEqual({ contextStruct: 'bpf_iter__tcp', attachFunc: 'bpf_iter_tcp' });
  expect(Object.keys(iteratorTypes)).toEqual(Object.keys(iterTargets));
  expect([returnValue('continue'), returnValue('stop')]).toEqual(Object.values(iterReturnValues));
  // That table is checked against every kernel of the matrix.
  for (const [name, id] of Object.entries(iterHelperIds)) expect(helperName(id)).toBe(`bpf_${name}`);
});
