import { copyField, type DslError, filterByPid, readField, readString, type StructPtr, structPtr } from '@bpf/dsl';
import type { Program } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { expect, expectTypeOf, test } from 'vitest';
import {
  argumentOf,
  defineFentry,
  defineFexit,
  defineFmodRet,
  defineTpBtf,
  fentryReturn,
  getArgByName,
  getArgType,
  getReturnType,
  resolveBtfFunction,
  saveArgs,
  suggestArgSaves,
  tracepointOf,
  validateTarget,
} from '../src/index.ts';
import { makeBtf } from './types.ts';

const btf = makeBtf();
const lines = (program: Program): string[] =>
  format(program)
    .split('\n')
    .map((line) => line.trim());
const code = (code: DslError['code']) => expect.objectContaining({ name: 'DslError', code });
const end = ['return:', 'r0 = 0', 'exit'];

test('arguments by name have registers, with their width and sign', () => {
  const info = defineFentry({ function: 'do_open', btf, args: ['filename', 'dfd', 'mode'] }, (args, ptrs) => {
    expectTypeOf(args).toEqualTypeOf<{ readonly filename: 'r6'; readonly dfd: 'r7'; readonly mode: 'r8' }>();
    expectTypeOf(ptrs).toEqualTypeOf<{ readonly [Name in 'filename' | 'dfd' | 'mode']: StructPtr }>();
    // @ts-expect-error not asked for
    expect(args.creat).toBeUndefined();
    expect(args).toEqual({ filename: 'r6', dfd: 'r7', mode: 'r8' });
    return [filterByPid(1, 'return')];
  });
  expect(info).toMatchObject({ name: 'do_open', section: 'fentry/do_open', type: 'tracing', attachTo: 'do_open' });
  expect(lines(info.instructions)).toEqual([
    'r6 = *(u64 *)(r1 + 8)',
    'r7 = *(u32 *)(r1 + 0)',
    'r7 <<= 32',
    'r7 s>>= 32',
    'r8 = *(u16 *)(r1 + 24)',
    'call 14',
    'r0 >>= 32',
    'if r0 != 1 goto return',
    ...end,
  ]);
});

test('the fifth and those after it are in the stack', () => {
  const args = ['a0', 'a1', 'a2', 'a3', 'a11', 'a4'] as const;
  const info = defineFentry({ name: 'other', function: 'twelve', btf, args }, ({ a3, a11, a4 }) => {
    expectTypeOf(a3).toEqualTypeOf<'r9'>();
    expectTypeOf(a11).toBeNumber();
    expect([a3, a11, a4]).toEqual(['r9', -8, -16]);
    return [];
  });
  expect(info.name).toBe('other');
  expect(lines(info.instructions).slice(0, 4)).toEqual([
    'r0 = *(u64 *)(r1 + 88)',
    '*(u64 *)(r10 - 8) = r0',
    'r0 = *(u64 *)(r1 + 32)',
    '*(u64 *)(r10 - 16) = r0',
  ]);
});

test('the slots behind a struct passed by value are further', () => {
  const optlen = defineFentry({ function: 'setsockopt', btf, args: ['optlen'] }, () => []);
  expect(lines(optlen.instructions)[0]).toBe('r6 = *(u32 *)(r1 + 24)');
  expect(() => defineFentry({ function: 'setsockopt', btf, args: ['optval'] }, () => [])).toThrow(
    "'optval' of setsockopt is 16 bytes passed by value: name it fifth or later, for the stack, or load slots 1 to 2",
  );
  expect(lines(saveArgs(btf.func('setsockopt').params))).toEqual([
    'r0 = *(u64 *)(r1 + 8)',
    '*(u64 *)(r10 - 16) = r0',
    'r0 = *(u64 *)(r1 + 16)',
    '*(u64 *)(r10 - 8) = r0',
    'r6 = *(u64 *)(r1 + 0)',
    'r8 = *(u32 *)(r1 + 24)',
    'r8 <<= 32',
    'r8 s>>= 32',
  ]);
});

test('what a function returned is in the slot after its arguments', () => {
  const args = ['return', 'sk'] as const;
  const info = defineFexit({ function: 'setsockopt', btf, args }, ({ return: result }) => {
    expectTypeOf(result).toEqualTypeOf<'r6'>();
    return [];
  });
  expect(lines(info.instructions)).toEqual([
    'r6 = *(u32 *)(r1 + 32)',
    'r6 <<= 32',
    'r6 s>>= 32',
    'r7 = *(u64 *)(r1 + 0)',
    ...end,
  ]);
  expect(() => defineFexit({ function: 'nothing', btf, args: ['return'] }, () => [])).toThrow(
    'nothing returns nothing',
  );
  expect(() =>
    defineFentry(
      // @ts-expect-error nothing is returned yet
      { function: 'do_open', btf, args: ['return'] },
      () => [],
    ),
  ).toThrow('fentry programs have no return value: fexit programs do');
});

test('fmod_ret takes the place of a function', () => {
  const info = defineFmodRet({ function: 'security_open', btf }, () => [filterByPid(1, 'return'), fentryReturn(-13)]);
  expect(info).toMatchObject({ section: 'fmod_ret/security_open', attachType: 'modify_return' });
  expect(lines(info.instructions).slice(-5)).toEqual(['r0 = -13', 'exit', ...end]);
  // No end that is never come to.
  const always = defineFmodRet({ function: 'security_open', btf }, () => fentryReturn(-1));
  expect(lines(always.instructions)).toEqual(['r0 = -1', 'exit']);
});

test('tracepoints: names come from the function behind', () => {
  const named = defineTpBtf({ tracepoint: 'sock_state', btf, args: ['state', 'sk'] }, (args, { sk }) => {
    expect(args).toEqual({ state: 'r6', sk: 'r7' });
    return readField(sk, 'r8', '__sk_common.skc_family');
  });
  expect(named).toMatchObject({ section: 'tp_btf/sock_state', attachType: 'trace_raw_tp', attachTo: 'sock_state' });
  expect(lines(named.instructions)).toEqual([
    'r6 = *(u32 *)(r1 + 8)',
    'r6 <<= 32',
    'r6 s>>= 32',
    'r7 = *(u64 *)(r1 + 0)',
    'r8 = *(u16 *)(r7 + 4)',
    ...end,
  ]);
  const numbered = defineTpBtf({ tracepoint: 'unnamed', btf, args: [1] }, ({ 1: state }) => {
    expectTypeOf(state).toEqualTypeOf<'r6'>();
    return [];
  });
  expect(lines(numbered.instructions)[0]).toBe('r6 = *(u32 *)(r1 + 8)');
  expect(() => defineTpBtf({ tracepoint: 'unnamed', btf, args: ['state'] }, () => [])).toThrow(
    "unnamed has no argument 'state'; it has 0, 1",
  );
  expect(() => tracepointOf(btf, 'none')).toThrow("there is no tracepoint 'none' in these types");
});

test('fields, through pointers, in anonymous structs, as bits', () => {
  const sk = structPtr(btf, 'sock', 'r6');
  expect(lines(readField(sk, 'r0', '__sk_common.skc_daddr'))).toEqual([
    'r0 = *(u32 *)(r6 + 0)',
    'r0 <<= 32',
    'r0 s>>= 32',
  ]);
  expect(lines(readField(sk, 'r0', '__sk_common.skc_reuse'))).toEqual([
    'r0 = *(u8 *)(r6 + 6)',
    'r0 <<= 60',
    'r0 s>>= 60',
  ]);
  expect(lines(readField(sk, 'r0', 'sk_parent.sk_parent.__sk_common.skc_family'))).toEqual([
    'r0 = *(u64 *)(r6 + 16)',
    'if r0 == 0 goto +4',
    'r0 = *(u64 *)(r0 + 16)',
    'if r0 == 0 goto +2',
    'r0 = *(u16 *)(r0 + 4)',
    'goto +1',
    'r0 = 0',
  ]);
  expect(lines(copyField(sk, '__sk_common', -16)).slice(-1)).toEqual(['call 113']);
  expect(() => readField(sk, 'r0', '__sk_common')).toThrow(code('FIELD_SIZE'));
  expect(() => readField(sk, 'r0', 'skc_daddr')).toThrow("'sock' has no member 'skc_daddr'");
  expect(() => readString(sk, '__sk_common.skc_daddr', -8, 8)).toThrow('is no string: its type is int');
});

test('only pointers to structs have fields', () => {
  const body = (name: 'dfd' | 'filename') => () =>
    defineFentry({ function: 'do_open', btf, args: ['dfd', 'filename'] }, (_, ptrs) =>
      readField(ptrs[name], 'r8', 'x'),
    );
  expect(body('dfd')).toThrow("'dfd' of do_open is no pointer to a struct: its type is int");
  expect(body('filename')).toThrow(
    "'filename' of do_open points to no struct, but int char: copy from there with probeReadKernel",
  );
});

test('unknown names are refused', () => {
  expect(() => defineFentry({ function: 'do_opne', btf }, () => [])).toThrow(code('NO_FUNCTION'));
  expect(() => defineFentry({ function: 'do_open', btf, args: ['path'] }, () => [])).toThrow(
    "do_open has no argument 'path'; it has dfd, filename, creat, mode",
  );
  // @ts-expect-error types are wanted
  const untyped = () => defineFentry({ function: 'do_open' }, () => []);
  expect(untyped).toThrow();
});

test('what is known of a function', () => {
  expect(resolveBtfFunction(btf, 'tcp_v4_connect')?.params.map(({ name }) => name)).toEqual([
    'sk',
    'uaddr',
    'addr_len',
  ]);
  expect(resolveBtfFunction(btf, 'nope')).toBeUndefined();
  expect(getArgByName(btf, 'tcp_v4_connect', 'sk')).toBe(0);
  expect(getArgByName(btf, 'setsockopt', 'optlen')).toBe(2);
  expect(argumentOf(btf.func('setsockopt'), 'optlen').slot).toBe(3);
  expect(getArgByName(btf, 'tcp_v4_connect', 'x')).toBeUndefined();
  expect(getArgByName(btf, 'nope', 'x')).toBeUndefined();
  expect(getArgType(btf, 'tcp_v4_connect', 0)).toMatchObject({ kind: 'ptr' });
  expect(getArgType(btf, 'tcp_v4_connect', 3)).toBeUndefined();
  expect(getReturnType(btf, 'tcp_v4_connect')).toMatchObject({ kind: 'int', name: 'int' });
  expect(getReturnType(btf, 'nothing')).toMatchObject({ kind: 'void' });
  expect(getReturnType(btf, 'nope')).toBeUndefined();
  const saves = (func: string) =>
    suggestArgSaves(btf, func).map(([arg, reg]) => [typeof arg === 'object' && arg.name, reg]);
  expect(saves('tcp_v4_connect')).toEqual([
    ['sk', 'r6'],
    ['uaddr', 'r7'],
    ['addr_len', 'r8'],
  ]);
  expect(saves('twelve')).toHaveLength(4);
  expect(saves('setsockopt')).toEqual([
    ['sk', 'r6'],
    ['optlen', 'r7'],
  ]);
});

test('why a function cannot be traced', () => {
  const reasons = (name: string, options = {}) => validateTarget(btf, name, options).reasons.join('; ');
  expect(validateTarget(btf, 'tcp_v4_connect', { traceable: 'a\ntcp_v4_connect\n' })).toMatchObject({
    valid: true,
    paramCount: 3,
    reasons: [],
    warnings: [],
  });
  expect(validateTarget(btf, 'nope')).toMatchObject({ valid: false, func: undefined, paramCount: 0 });
  expect(reasons('nope')).toMatch(/^there is no function 'nope' in these types/);
  expect(reasons('printk')).toMatch(/^printk takes a variable number of arguments/);
  expect(reasons('many')).toBe('many takes 13 arguments, more than the 12 that the kernel traces');
  expect(reasons('takes_big')).toBe("'big' of takes_big is 24 bytes passed by value: the kernel traces up to 16");
  expect(reasons('takes_double')).toMatch(/is a floating-point number/);
  expect(reasons('gives_struct')).toMatch(/^gives_struct returns a struct by value/);
  expect(reasons('migrate_disable')).toMatch(/the kernel refuses it$/);
  expect(validateTarget(btf, 'setsockopt').warnings.join()).toMatch(/struct by value: that needs Linux 6.1/);
  expect(validateTarget(btf, 'twelve').warnings.join()).toMatch(/take 12 slots: more than 6 need Linux 6.6/);
  // Whole names, of modules too.
  const lists = ['xdo_open\ndo_open2\n', 'do_open\n', 'x\ndo_open [module]\n', 'do_open', 'do_open.cold\n'];
  expect(lists.map((traceable) => validateTarget(btf, 'do_open', { traceable }).valid)).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  const fmodRet = { kind: 'fmod_ret', traceable: 'do_open\nsecurity_open\n' } as const;
  expect(validateTarget(btf, 'security_open', fmodRet)).toMatchObject({ valid: true, warnings: [] });
  expect(validateTarget(btf, 'do_open', fmodRet).warnings.join()).toMatch(/error_injection/);
  expect(validateTarget(btf, 'do_open', { ...fmodRet, modifiable: 'do_open\tERRNO\n' }).valid).toBe(true);
  expect(validateTarget(btf, 'do_open', { ...fmodRet, modifiable: 'x\tERRNO\n' }).reasons).toHaveLength(1);
});
