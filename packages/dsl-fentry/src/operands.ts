import { add, call, ldMapFd, mov, type Program, type Register, type WritableRegister } from '@bpf/insn';
import { FentryError } from './error.ts';

/** Memory that a helper reads or writes: a register that points to it, or its negative offset in the stack. */
export type Memory = WritableRegister | number;

/** A register that helper calls leave alone. */
export type SavedRegister = 'r6' | 'r7' | 'r8' | 'r9';

/** What goes into an argument's register. */
type Operand = Register | number | { readonly stack: number } | { readonly map: string | number };

/** The registers in which a helper takes its arguments. The functions that are traced have theirs in the context. */
export const argRegisters = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;

/**
 * Emits the arguments and the call. An operand in r1 to r5 is read before that register is written: the order of the
 * moves is that of the arguments unless it must be another.
 */
export function callHelper(what: string, helper: number, operands: readonly Operand[]): Program {
  const waiting = operands.map((operand, i) => {
    const dst = argRegisters[i] as (typeof argRegisters)[number];
    return { dst, source: typeof operand === 'string' ? operand : undefined, moves: load(dst, operand) };
  });
  const moves: Program[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ dst }) => !waiting.some((other) => other.dst !== dst && other.source === dst));
    if (next < 0)
      throw new FentryError(
        'REGISTER_CLOBBERED',
        `${what}: its operands in ${waiting.map(({ source }) => source).join(' and ')} wait for each other's register; keep them in r6 to r9`,
      );
    moves.push(...waiting.splice(next, 1).map((argument) => argument.moves));
  }
  return [moves, call(helper)];
}

function load(dst: WritableRegister, operand: Operand): Program {
  if (typeof operand === 'string') return operand === dst ? [] : [mov(dst, operand)];
  if (typeof operand === 'number') return [mov(dst, operand)];
  if ('stack' in operand) return [mov(dst, 'r10'), add(dst, operand.stack)];
  return [ldMapFd(dst, operand.map)];
}

/** The operand for memory of so many bytes. */
export function memory(what: string, at: Memory, bytes: Register | number): Operand {
  return typeof at === 'string' ? at : { stack: checkStack(what, at, typeof bytes === 'number' ? bytes : 1) };
}

const STACK_BYTES = 512;

/** @returns the offset, when `bytes` from there on are in the stack and it is a multiple of `align` */
export function checkStack(what: string, at: number, bytes: number, align = 1): number {
  if (!Number.isInteger(at) || at < -STACK_BYTES || at + Math.max(bytes, 1) > 0)
    throw new FentryError(
      'STACK_RANGE',
      `${what}: ${bytes} bytes at ${at} are not in the stack, whose offsets are -512..-1`,
    );
  if (at % align !== 0)
    throw new FentryError(
      'STACK_RANGE',
      `${what}: ${at} is not a multiple of ${align}, as this offset in the stack must be`,
    );
  return at;
}
