import { callHelper, DslError } from '@bpf/dsl';
import { exit, ldx, mov, type Program, type WritableRegister } from '@bpf/insn';
import { type ArgPlace, loadArg } from './arguments.ts';

const BPF_FUNC_get_func_ret = 184;

/**
 * Emits `dst = (type)ctx[slot]`: what the function returned, in an fexit program, from the slot after its arguments; in
 * fmod_ret, what the program before this one returned, or 0. Clobbers nothing else. Linux 5.5.
 *
 * @param returns `Btf.func(...).returns`, or the number of slots that the arguments take
 * @throws DslError `NO_ARGUMENT`
 * @example
 * ```ts
 * getReturnValue('r6', btf.func('do_unlinkat').returns); // signed, as it is an int
 * ```
 */
export function getReturnValue(dst: WritableRegister, returns: number | ArgPlace): Program {
  return loadArg(dst, returns);
}

/**
 * Emits `bpf_get_func_ret(r1, r10 + at); dst = *(u64 *)(r10 + at)`: what the function returned, for when its arguments are
 * not known. Wants the context in r1, clobbers r0 to r5 and 8 bytes of the stack. All 64 bits: the upper ones are undefined
 * for a narrower type. In fmod_ret too; in fentry r0 is -EOPNOTSUPP. Linux 5.17.
 *
 * @param at a negative multiple of 8
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [getFuncRet('r6', -8), jeq('r6', 0, 'it was well')]
 * ```
 */
export function getFuncRet(dst: WritableRegister, at: number): Program {
  const call = callHelper('getFuncRet', BPF_FUNC_get_func_ret, ['r1', { memory: at, bytes: 8, align: 8 }]);
  return [call, ldx('dw', dst, 'r10', at)];
}

/**
 * Emits `r0 = value; exit`. fentry and fexit programs must return 0. What an fmod_ret program returns other than 0 is what
 * the function returns, without having run: a negative errno.
 *
 * @throws DslError `RETURN_VALUE` for what is no integer of 32 bits
 * @example
 * ```ts
 * [jsge(nice, 0, 'return'), fentryReturn(-13)] // -EACCES
 * ```
 */
export function fentryReturn(value = 0): Program {
  if (!Number.isInteger(value) || value !== (value | 0))
    throw new DslError('RETURN_VALUE', `${value} is no return value: it is an integer of 32 bits`);
  return [mov('r0', value), exit()];
}
