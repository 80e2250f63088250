import { add, call, ldMapFd, mov, mov32, type Program, type Register, type WritableRegister } from '@bpf/insn';
import { MapAccessError } from './error.ts';

/** A map in a program: the name that `loadProgram` resolves, or a file descriptor. */
export type MapRef = string | number;

/** Memory that a helper reads or writes: a register that points to it, or its negative offset in the stack. */
export type Memory = WritableRegister | number;

/** A register that helper calls leave alone. */
export type SavedRegister = 'r6' | 'r7' | 'r8' | 'r9';

/** What goes into an argument's register. */
type Operand = Register | number | { readonly stack: number } | { readonly map: MapRef };

const argumentRegisters = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;

/**
 * Emits the arguments and the call. An operand in r1 to r5 is read before that register is written: the order of the
 * moves is that of the arguments unless it must be another.
 */
export function callHelper(what: string, helper: number, operands: readonly Operand[]): Program {
  const waiting = operands.map((operand, i) => {
    const dst = argumentRegisters[i] as (typeof argumentRegisters)[number];
    return { dst, source: typeof operand === 'string' ? operand : undefined, moves: load(what, dst, operand) };
  });
  const moves: Program[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ dst }) => !waiting.some((other) => other.dst !== dst && other.source === dst));
    if (next < 0)
      throw new MapAccessError(
        'REGISTER_CLOBBERED',
        `${what}: its operands in ${waiting.map(({ source }) => source).join(' and ')} wait for each other's register; keep them in r6 to r9`,
      );
    moves.push(...waiting.splice(next, 1).map((argument) => argument.moves));
  }
  return [moves, call(helper)];
}

function load(what: string, dst: WritableRegister, operand: Operand): Program {
  if (typeof operand === 'string') {
    if (operand === 'r10')
      throw new MapAccessError('STACK_RANGE', `${what}: r10 is the end of the stack: say an offset, such as -8`);
    return operand === dst ? [] : [mov(dst, operand)];
  }
  // What has the highest of 32 bits set does not fit the immediate of a 64-bit move.
  if (typeof operand === 'number') return [operand > 0x7fff_ffff ? mov32(dst, operand) : mov(dst, operand)];
  if ('stack' in operand) return [mov(dst, 'r10'), add(dst, operand.stack)];
  return [ldMapFd(dst, operand.map)];
}

/** The operand for memory of at least `bytes`. */
export function memory(what: string, at: Memory, bytes: WritableRegister | number = 1): Operand {
  return typeof at === 'string' ? at : stack(what, at, typeof bytes === 'number' ? bytes : 1);
}

const STACK_BYTES = 512;

/** The operand for `bytes` in the stack, when all of them are in it and the offset is a multiple of `align`. */
export function stack(what: string, at: number, bytes = 1, align = 1): { readonly stack: number } {
  if (!Number.isInteger(at) || at < -STACK_BYTES || at + Math.max(bytes, 1) > 0)
    throw new MapAccessError(
      'STACK_RANGE',
      `${what}: ${bytes > 1 ? `${bytes} bytes at ${at} are` : `${at} is`} not in the stack, whose offsets are -512..-1`,
    );
  if (at % align !== 0)
    throw new MapAccessError('STACK_RANGE', `${what}: ${at} is not a multiple of ${align}, as this offset must be`);
  return { stack: at };
}
