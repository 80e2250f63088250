import { add, call, exit, ldx, mov, type Program, type WritableRegister } from '@bpf/insn';
import { type ArgPlace, loadArg } from './arguments.ts';
import { FentryError } from './error.ts';
import { checkStack } from './operands.ts';

const BPF_FUNC_get_func_ret = 184;

/**
 * Emits `dst = (type)ctx[slot]`: what the function returned, in an fexit program, from the slot after its arguments; in
 * fmod_ret, what the program before this one returned, or 0. Clobbers nothing else. Linux 5.5.
 *
 * @param returns `Btf.func(...).returns`, or the number of slots that the arguments take
 * @throws FentryError `NO_ARGUMENT`
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
 * @throws FentryError `STACK_RANGE`
 */
export function getFuncRet(dst: WritableRegister, at: number): Program {
  checkStack('getFuncRet', at, 8, 8);
  return [mov('r2', 'r10'), add('r2', at), call(BPF_FUNC_get_func_ret), ldx('dw', dst, 'r10', at)];
}

/**
 * Emits `r0 = value; exit`. fentry and fexit programs must return 0. What an fmod_ret program returns other than 0 is what
 * the function returns, without having run: a negative errno.
 *
 * @throws FentryError `RETURN_VALUE` for what is no integer of 32 bits
 */
export function fentryReturn(value = 0): Program {
  if (!Number.isInteger(value) || value !== (value | 0))
    throw new FentryError('RETURN_VALUE', `${value} is no return value: it is an integer of 32 bits`);
  return [mov('r0', value), exit()];
}
