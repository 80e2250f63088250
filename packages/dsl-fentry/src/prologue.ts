import { checkStack, DslError, type SavedRegister } from '@bpf/dsl';
import { type Program, stx, type WritableRegister } from '@bpf/insn';
import { type ArgPlace, loadArg, MAX_ARGS } from './arguments.ts';

/**
 * An argument and where it goes: a register, or the stack at a negative multiple of 8. The argument is the number of its
 * slot in the context, or its place, which `Btf.func` knows.
 */
export type ArgSave = readonly [arg: number | ArgPlace, dst: WritableRegister | number];

/** The registers that outlast helper calls, in the order in which arguments are saved there. */
export const savedRegisters: readonly SavedRegister[] = ['r6', 'r7', 'r8', 'r9'];

/**
 * Emits `dst = *(u64 *)(r1 + 8 * slot)` for each argument: r1 is not an argument but the address of an array of u64 that
 * holds them, in fexit and fmod_ret with the return value after the last. tp_btf programs get the same array. An argument
 * that is given by its place is loaded with its size and sign, see {@link loadArg}; one that goes into the stack passes
 * through r0, and takes 8 bytes for each of its slots. Linux 5.5 and newer.
 *
 * An argument may be loaded into r1 itself if it is the last.
 *
 * @throws DslError `NO_ARGUMENT`, `STACK_RANGE`, `REGISTER_CLOBBERED` for a register that takes two, for r10, and for what
 *   is loaded after r1 was overwritten
 * @example
 * ```ts
 * prologue([[0, 'r6'], [1, 'r7']]); // r6 = first argument, r7 = second
 * const { params } = btf.func('vfs_read');
 * prologue([[params[2], -8]]); // *(u64 *)(r10 - 8) = count
 * ```
 */
export function prologue(args: readonly ArgSave[]): Program {
  const registers = args.flatMap(([, dst]) => (typeof dst === 'string' ? [dst] : []));
  for (const [i, dst] of registers.entries()) {
    // The types refuse it; programs may come from JavaScript.
    if ((dst as string) === 'r10') throw clobbered(`r10 is the frame pointer, and read-only: use r6 to r9`);
    if (registers.indexOf(dst) < i) throw clobbered(`${dst} is to hold two arguments`);
    if (dst === 'r1' && i < registers.length - 1)
      throw clobbered('r1 is to hold an argument, and those after it are loaded from there: put it last');
  }
  // First, while r0 is free and r1 still the context.
  const spills = args.flatMap(([arg, dst]) => (typeof dst === 'number' ? [spill(arg, dst)] : []));
  const loads = args.flatMap(([arg, dst]) => (typeof dst === 'string' ? [loadArg(dst, arg)] : []));
  return [spills, loads];
}

function clobbered(message: string): DslError {
  return new DslError('REGISTER_CLOBBERED', message);
}

function spill(arg: number | ArgPlace, at: number): Program {
  const slots = typeof arg === 'number' ? 1 : arg.slots;
  checkStack('prologue', at, 8 * slots, 8);
  if (typeof arg === 'number' || slots === 1) return [loadArg('r0', arg), stx('dw', 'r10', 'r0', at)];
  return Array.from({ length: slots }, (_, i) => [loadArg('r0', arg.slot + i), stx('dw', 'r10', 'r0', at + 8 * i)]);
}

/**
 * Where {@link saveArgs} puts arguments: the first four in r6, r7, r8 and r9, all others in the stack, from `spillAt`
 * downwards. So does one of several slots.
 */
export function placeArgs(args: readonly (number | ArgPlace)[], spillAt = -8): ArgSave[] {
  let free = spillAt + 8;
  return args.map((arg, i) => {
    const slots = typeof arg === 'number' ? 1 : arg.slots;
    const reg = savedRegisters[i];
    if (reg && slots === 1) return [arg, reg];
    free -= 8 * slots;
    return [arg, free];
  });
}

/**
 * Emits {@link prologue} for the first arguments, or for those whose places are given: into r6, r7, r8 and r9, and from the
 * fifth on into the stack, from `spillAt` downwards, 8 bytes for each slot. Clobbers r0 when there are more than four.
 *
 * @param args how many, or which: with places, sizes and signs are right
 * @param spillAt a negative multiple of 8
 * @throws DslError as {@link prologue}
 * @example
 * ```ts
 * saveArgs(3); // r6, r7, r8
 * saveArgs(btf.func('bpf_fentry_test6').params); // the fifth at r10 - 8, the sixth at r10 - 16
 * ```
 */
export function saveArgs(args: number | readonly ArgPlace[], spillAt = -8): Program {
  if (typeof args !== 'number') return prologue(placeArgs(args, spillAt));
  if (!Number.isInteger(args) || args < 0 || args > MAX_ARGS)
    throw new DslError('NO_ARGUMENT', `${args} arguments: the kernel traces functions with 0 to ${MAX_ARGS}`);
  return prologue(placeArgs([...Array(args).keys()], spillAt));
}
