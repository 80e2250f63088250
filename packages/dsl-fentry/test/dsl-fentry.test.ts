import { type DslError, filterByPid } from '@bpf/dsl';
import { assemble, exit, flatten, mov, type Program } from '@bpf/insn';
import { format, formatInsn } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { llvmAssemble, llvmVersion } from '../../insn/test/text/llvm.ts';
import * as dsl from '../src/index.ts';
import {
  argOffset,
  attachTypes,
  buildFentryProgram,
  buildFexitProgram,
  describeTrampoline,
  fentryReturn,
  getFuncRet,
  getReturnValue,
  loadArg,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
  makeTpBtfProgramInfo,
  progTypes,
  prologue,
  saveArgs,
} from '../src/index.ts';

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const hex = (program: Program): string => hexOf(assemble(program));
const lines = (program: Program): string[] =>
  format(program)
    .split('\n')
    .map((line) => line.trim());
const code = (code: DslError['code']) => expect.objectContaining({ name: 'DslError', code });

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "argOffset",
      "argumentOf",
      "attachTypes",
      "buildFentryProgram",
      "buildFexitProgram",
      "defineFentry",
      "defineFexit",
      "defineFmodRet",
      "defineTpBtf",
      "deniedFunctions",
      "describeTrampoline",
      "fentryReturn",
      "fentrySectionName",
      "fexitSectionName",
      "fmodRetSectionName",
      "getArgByName",
      "getArgType",
      "getFuncRet",
      "getReturnType",
      "getReturnValue",
      "loadArg",
      "makeFentryProgramInfo",
      "makeFexitProgramInfo",
      "makeFmodRetProgramInfo",
      "makeTpBtfProgramInfo",
      "progTypes",
      "prologue",
      "resolveBtfFunction",
      "saveArgs",
      "suggestArgSaves",
      "tpBtfSectionName",
      "tracepointOf",
      "validateTarget",
    ]
  `);
});

test('the prologue loads arguments from the context array', () => {
  expect(
    hex(
      prologue([
        [0, 'r6'],
        [1, 'r7'],
      ]),
    ),
  ).toBe('79160000000000007917080000000000');
  expect(argOffset(11)).toBe(88);
});

test('arguments that cannot be loaded are refused', () => {
  expect(() => prologue([[12, 'r6']])).toThrow('slot 12 is not in 0..11, which is what programs can read');
  expect(() => prologue([[-1, 'r6']])).toThrow(code('NO_ARGUMENT'));
  const r1First = [
    [0, 'r1'],
    [1, 'r7'],
  ] as const;
  expect(() => prologue(r1First)).toThrow('r1 is to hold an argument, and those after it are loaded from there');
  expect(() => prologue([...r1First].reverse())).not.toThrow();
  expect(() =>
    prologue([
      [0, 'r6'],
      [1, 'r6'],
    ]),
  ).toThrow('r6 is to hold two arguments');
  // @ts-expect-error r10 is read-only
  expect(() => prologue([[0, 'r10']])).toThrow('r10 is the frame pointer, and read-only: use r6 to r9');
  expect(() => prologue([[0, -12]])).toThrow('prologue: -12 is not a multiple of 8');
  expect(() => prologue([[0, 0]])).toThrow(code('STACK_RANGE'));
});

test('arguments are loaded by their width and sign', () => {
  const place = (size: number, signed: boolean, slots = 1) => ({ slot: 2, slots, size, signed });
  expect(lines(loadArg('r7', place(4, true)))).toEqual(['r7 = *(u32 *)(r1 + 16)', 'r7 <<= 32', 'r7 s>>= 32']);
  expect(hex(loadArg('r7', place(4, true)))).toBe('61171000000000006707000020000000c707000020000000');
  expect(lines(loadArg('r7', place(4, false)))).toEqual(['r7 = *(u32 *)(r1 + 16)']);
  expect(lines(loadArg('r7', place(2, true), 'r6'))).toEqual(['r7 = *(u16 *)(r6 + 16)', 'r7 <<= 48', 'r7 s>>= 48']);
  expect(lines(loadArg('r7', place(1, false)))).toEqual(['r7 = *(u8 *)(r1 + 16)']);
  expect(lines(getReturnValue('r7', place(8, true)))).toEqual(['r7 = *(u64 *)(r1 + 16)']);
  expect(() => loadArg('r7', place(16, false, 2))).toThrow(
    "'it' has 16 bytes, in slots 2 to 3: load each by its number",
  );
});

test('more than four arguments go on in the stack', () => {
  expect(lines(saveArgs(3))).toEqual(['r6 = *(u64 *)(r1 + 0)', 'r7 = *(u64 *)(r1 + 8)', 'r8 = *(u64 *)(r1 + 16)']);
  expect(lines(saveArgs(6, -32))).toEqual([
    'r0 = *(u64 *)(r1 + 32)',
    '*(u64 *)(r10 - 32) = r0',
    'r0 = *(u64 *)(r1 + 40)',
    '*(u64 *)(r10 - 40) = r0',
    'r6 = *(u64 *)(r1 + 0)',
    'r7 = *(u64 *)(r1 + 8)',
    'r8 = *(u64 *)(r1 + 16)',
    'r9 = *(u64 *)(r1 + 24)',
  ]);
  expect(saveArgs(0).flat()).toEqual([]);
  expect(() => saveArgs(13)).toThrow('13 arguments: the kernel traces functions with 0 to 12');
  expect(() => saveArgs(5, -4)).toThrow(code('STACK_RANGE'));
});

test('return values', () => {
  expect(lines(getFuncRet('r6', -8))).toEqual(['r2 = r10', 'r2 += -8', 'call 184', 'r6 = *(u64 *)(r10 - 8)']);
  expect(lines(fentryReturn())).toEqual(['r0 = 0', 'exit']);
  expect(lines(fentryReturn(-13))).toEqual(['r0 = -13', 'exit']);
  expect(() => fentryReturn(2 ** 31)).toThrow(code('RETURN_VALUE'));
});

test('whole programs', () => {
  expect(lines(buildFentryProgram({ argSaves: [[0, 'r6']], body: [mov('r0', 42)], returnValue: 0 }))).toEqual([
    'r6 = *(u64 *)(r1 + 0)',
    'r0 = 42',
    'return:',
    'r0 = 0',
    'exit',
  ]);
  const { params, returns } = { params: [0] as const, returns: { slot: 1, slots: 1, size: 4, signed: true } };
  expect(lines(buildFexitProgram({ argSaves: [[params[0], 'r6']], retReg: 'r7', returns, body: [] }))).toEqual([
    'r6 = *(u64 *)(r1 + 0)',
    'r7 = *(u32 *)(r1 + 8)',
    'r7 <<= 32',
    'r7 s>>= 32',
    'return:',
    'r0 = 0',
    'exit',
  ]);
  expect(lines(buildFexitProgram({ retReg: 'r7', body: [] })).slice(0, 3)).toEqual([
    'r2 = r10',
    'r2 += -8',
    'call 184',
  ]);
  expect(lines(buildFexitProgram({ body: [] })).length).toBe(3);
  // What leaves by itself has no end that the verifier would find to be unreachable.
  expect(lines(buildFentryProgram({ body: [mov('r0', 0), exit()] }))).toEqual(['r0 = 0', 'exit']);
  expect(lines(buildFentryProgram({ body: [filterByPid(1, 'return'), mov('r0', 0), exit()] })).at(-3)).toBe('return:');
  expect(() => buildFexitProgram({ argSaves: [[0, 'r2']], retReg: 'r7', body: [] })).toThrow(
    'r2 is lost when the kernel is asked',
  );
  // @ts-expect-error the verifier takes no other
  expect(() => buildFentryProgram({ body: [], returnValue: 1 })).toThrow(
    'fentry and fexit programs return 0, and not 1',
  );
});

test('info is inert data, with the section that libbpf knows', () => {
  expect(makeFentryProgramInfo('opens', 'do_sys_openat2', [])).toEqual({
    name: 'opens',
    section: 'fentry/do_sys_openat2',
    type: 'tracing',
    attachType: 'trace_fentry',
    attachTo: 'do_sys_openat2',
    instructions: [],
  });
  const made = [makeFexitProgramInfo, makeFmodRetProgramInfo, makeTpBtfProgramInfo].map((make) => make('x', 'f', []));
  expect(made.map(({ section, attachType }) => [section, attachType])).toEqual([
    [dsl.fexitSectionName('f'), 'trace_fexit'],
    [dsl.fmodRetSectionName('f'), 'modify_return'],
    [dsl.tpBtfSectionName('f'), 'trace_raw_tp'],
  ]);
  expect(dsl.fentrySectionName('tcp_v4_connect')).toBe('fentry/tcp_v4_connect');
});

test('how a program is attached', () => {
  const described = describeTrampoline('vfs_read', 'fexit');
  expect(described).toMatchObject({
    function: 'vfs_read',
    section: 'fexit/vfs_read',
    type: progTypes.fexit,
    attachType: attachTypes.fexit,
    attachBtf: { kind: 'func', name: 'vfs_read' },
  });
  expect(described.notes[0]).toContain('r1 points to an array of u64');
  expect(describeTrampoline('sched_process_fork', 'tp_btf').attachBtf.name).toBe('btf_trace_sched_process_fork');
});

const llvm = llvmVersion();
test.skipIf(llvm === undefined)(`LLVM ${llvm} makes the same bytes`, () => {
  const insns = flatten([
    saveArgs(6),
    loadArg('r7', { slot: 2, slots: 1, size: 4, signed: true }),
    getFuncRet('r6', -8),
  ]);
  const known = llvmAssemble(insns.map((insn) => formatInsn(insn)));
  // Old ones do not know a store of a number.
  expect(known.filter(Boolean).length).toBeGreaterThanOrEqual(insns.length - 2);
  for (const [i, insn] of insns.entries()) if (known[i]) expect(known[i].hex).toBe(hex([insn]));
});
