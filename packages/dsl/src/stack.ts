import { add, mov, type Program, type Size, st, type WritableRegister } from '@bpf/insn';
import { DslError } from './error.ts';

const STACK_BYTES = 512;

/** The letter of each size that can be loaded and stored. */
export const sizeLetters: Readonly<Record<number, Size>> = { 1: 'b', 2: 'h', 4: 'w', 8: 'dw' };

/**
 * Checks that `bytes` from the offset on are in the stack, and that it is a multiple of `align`. Emits nothing.
 *
 * @param what the name of the caller, for the error
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * checkStack('writePair', at, 16, 8);
 * ```
 */
export function checkStack(what: string, at: number, bytes = 1, align = 1): void {
  if (!Number.isInteger(at) || at < -STACK_BYTES || at + Math.max(bytes, 1) > 0)
    throw new DslError(
      'STACK_RANGE',
      `${what}: ${bytes > 1 ? `${bytes} bytes at ${at} are` : `${at} is`} not in the stack, whose offsets are -512..-1`,
    );
  if (at % align !== 0)
    throw new DslError(
      'STACK_RANGE',
      `${what}: ${at} is not a multiple of ${align}, as this offset in the stack must be`,
    );
}

/**
 * Emits `dst = r10 + offset`: the address of a buffer in the stack; with `bytes`, zeroes it before. What was never
 * written may hold what other programs left there: Linux 5.10 refuses to hand it out, newer kernels do it. Clobbers
 * nothing but dst.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [allocStackBuffer('r9', -32, 32), probeReadKernelStr('r9', 32, 'r7')]
 * ```
 */
export function allocStackBuffer(dst: WritableRegister, offset: number, bytes = 0): Program {
  checkStack('allocStackBuffer', offset, bytes);
  return [zeroStack(offset, bytes), mov(dst, 'r10'), add(dst, offset)];
}

/**
 * Emits `memset(r10 + offset, 0, bytes)`, as one store for every 8 bytes; at odd ends, smaller ones. Clobbers nothing.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [zeroStack(-16, 16), currentComm(-16)]
 * ```
 */
export function zeroStack(offset: number, bytes: number): Program {
  checkStack('zeroStack', offset, bytes);
  const stores: Program[number][] = [];
  for (let at = offset; at < offset + bytes; ) {
    // The stack is written at multiples of what is written.
    const length = [8, 4, 2].find((length) => at % length === 0 && at + length <= offset + bytes) ?? 1;
    stores.push(st(sizeLetters[length] as Size, 'r10', at, 0));
    at += length;
  }
  return stores;
}
