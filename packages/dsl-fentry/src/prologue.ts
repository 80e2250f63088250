import { ldx, type Program, type WritableRegister } from '@bpf/insn';

/** An argument and the register to load it into. */
export type ArgSave = readonly [arg: number, dst: WritableRegister];

/** The most arguments that the kernel traces a function with (MAX_BPF_FUNC_ARGS). */
const MAX_ARGS = 12;

/** The byte offset of an argument's slot in the context. @throws RangeError */
export function argOffset(arg: number): number {
  if (Number.isInteger(arg) && arg >= 0 && arg < MAX_ARGS) return arg * 8;
  throw new RangeError(`argument ${arg} is not in 0..${MAX_ARGS - 1}, the most that the kernel traces`);
}

/**
 * Emits `dst = *(u64 *)(r1 + 8 * arg)` for each argument: r1 is not an argument but the address of an array of u64 that
 * holds them, in fexit and fmod_ret with the return value after the last. tp_btf programs get the same array. The
 * upper bits of a narrower argument are undefined. Linux 5.5 and newer.
 *
 * An argument may be loaded into r1 itself if it is the last.
 *
 * @throws RangeError for an argument beyond the twelfth, or one loaded after r1 was overwritten
 * @example
 * ```ts
 * prologue([[0, 'r6'], [1, 'r7']]); // r6 = first argument, r7 = second
 * ```
 */
export function prologue(args: readonly ArgSave[]): Program {
  return args.map(([arg, dst], i) => {
    if (dst === 'r1' && i < args.length - 1)
      throw new RangeError(`argument ${arg} goes to r1, which the arguments after it are loaded from: put it last`);
    return ldx('dw', dst, 'r1', argOffset(arg));
  });
}
