import type { BtfArgument } from '@bpf/btf';
import { DslError } from '@bpf/dsl';
import { arsh, ldx, lsh, type Program, type Register, type Size, type WritableRegister } from '@bpf/insn';

/** Where in the context an argument or a result is, and how wide: what `Btf.func` says of each. */
export type ArgPlace = Pick<BtfArgument, 'slot' | 'slots' | 'size' | 'signed'> & { readonly name?: string };

/** The most arguments that the kernel traces a function with, and the most slots that it lets a program read. */
export const MAX_ARGS = 12;

/**
 * The byte offset of a slot in the context. A slot is an argument, unless an earlier argument is a struct passed by value,
 * which takes one for every 8 bytes.
 *
 * @throws DslError `NO_ARGUMENT`
 * @example
 * ```ts
 * argOffset(2); // 16
 * ```
 */
export function argOffset(slot: number): number {
  if (Number.isInteger(slot) && slot >= 0 && slot < MAX_ARGS) return slot * 8;
  throw new DslError('NO_ARGUMENT', `slot ${slot} is not in 0..${MAX_ARGS - 1}, which is what programs can read`);
}

const sizes: Readonly<Record<number, Size>> = { 1: 'b', 2: 'h', 4: 'w' };

/**
 * Emits `dst = (type)ctx[slot]`: an argument or result from the context. Of a slot by its number, all 64 bits, of which the
 * upper ones are undefined for a narrower type. Of a place that `Btf.func` gives, as many bytes as the type has, extended
 * by the sign when it has one. Clobbers nothing else. Linux 5.5.
 *
 * @param ctx the register that holds the context: r1 at the start
 * @throws DslError `NO_ARGUMENT`, `ARGUMENT_SIZE` for a struct of several slots: load each by its number
 * @example
 * ```ts
 * const [dfd, filename] = btf.func('do_sys_openat2').params;
 * [loadArg('r6', filename), loadArg('r7', dfd)] // r7 = -100 for AT_FDCWD, not 0xffffff9c
 * ```
 */
export function loadArg(dst: WritableRegister, arg: number | ArgPlace, ctx: Register = 'r1'): Program {
  if (typeof arg === 'number') return [ldx('dw', dst, ctx, argOffset(arg))];
  const { slot, slots, size, signed, name = 'it' } = arg;
  if (slots > 1)
    throw new DslError(
      'ARGUMENT_SIZE',
      `'${name}' has ${size} bytes, in slots ${slot} to ${slot + slots - 1}: load each by its number, or save it in the stack`,
    );
  const letter = sizes[size];
  if (letter === undefined) return loadArg(dst, slot, ctx);
  const load = ldx(letter, dst, ctx, argOffset(slot));
  return signed ? [load, lsh(dst, 64 - size * 8), arsh(dst, 64 - size * 8)] : [load];
}
