import { add, call, ldMapFd, mov, mov32, type Program, type Register, type WritableRegister } from '@bpf/insn';
import { DslError } from './error.ts';
import { checkStack } from './stack.ts';

/** Memory that a helper reads or writes: a register that points to it, or its negative offset in the stack. */
export type Memory = WritableRegister | number;

/** A register that helper calls leave alone. */
export type SavedRegister = 'r6' | 'r7' | 'r8' | 'r9';

/** A map in a program: the name that `loadProgram` resolves, or a file descriptor. */
export type MapRef = string | number;

/** The registers in which a helper takes its arguments. */
export const argRegisters = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;

/**
 * The register in which a helper takes an argument: r1 to r5. Not where a traced function has its own, which are in the
 * program's context.
 *
 * @throws DslError `NO_ARGUMENT`
 * @example
 * ```ts
 * mov(argReg(0), 'r6'); // r1 = r6
 * ```
 */
export function argReg(index: number): (typeof argRegisters)[number] {
  const reg = argRegisters[index];
  if (reg) return reg;
  throw new DslError('NO_ARGUMENT', `a helper has arguments 0 to 4, and no ${index}`);
}

/** What an argument of a helper is. */
export type Operand =
  /** What a register holds, or a number of 32 bits. */
  | Register
  | number
  /** The address of memory; in the stack, of so many bytes (1 unless known), at a multiple of `align` (1 unless told). */
  | { readonly memory: Memory; readonly bytes?: Register | number; readonly align?: number }
  /** The address of a map. */
  | { readonly map: MapRef }
  /** What a few instructions load into any register, from what `reg` holds. */
  | { readonly reg: Register; readonly load: (dst: WritableRegister) => Program };

/**
 * Emits `r1 = …; r2 = …; …; call helper`: the arguments of a helper, whatever they are, and the call. An operand that is in
 * r1 to r5 is read before that register is written. r0 is the result, r1 to r5 are lost.
 *
 * @param what the name of the caller, for errors
 * @param helper its number in `enum bpf_func_id`: `helperId` of `@bpf/insn/helpers` knows them
 * @throws DslError `STACK_RANGE`; `REGISTER_CLOBBERED` for operands that wait for each other's register
 * @example
 * ```ts
 * callHelper('bpf_get_current_comm', 16, [{ memory: -16, bytes: 16 }, 16])
 * ```
 */
export function callHelper(what: string, helper: number, operands: readonly Operand[]): Program {
  const waiting = operands.map((operand, i) => {
    const dst = argReg(i);
    return { dst, source: sourceOf(operand), moves: load(what, dst, operand) };
  });
  const moves: Program[] = [];
  // In the order of the arguments, unless it must be another.
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ dst }) => !waiting.some((other) => other.dst !== dst && other.source === dst));
    if (next < 0)
      throw new DslError(
        'REGISTER_CLOBBERED',
        `${what}: its operands in ${waiting.map(({ source }) => source).join(' and ')} wait for each other's register; keep them in r6 to r9`,
      );
    moves.push(...waiting.splice(next, 1).map((argument) => argument.moves));
  }
  return [moves, call(helper)];
}

function sourceOf(operand: Operand): Register | undefined {
  if (typeof operand === 'string') return operand;
  if (typeof operand === 'number' || 'map' in operand) return undefined;
  if ('reg' in operand) return operand.reg;
  return typeof operand.memory === 'string' ? operand.memory : undefined;
}

function load(what: string, dst: WritableRegister, operand: Operand): Program {
  if (typeof operand === 'string') return operand === dst ? [] : [mov(dst, operand)];
  // What has the highest of 32 bits set does not fit the immediate of a 64-bit move.
  if (typeof operand === 'number') return [operand > 0x7fff_ffff ? mov32(dst, operand) : mov(dst, operand)];
  if ('map' in operand) return [ldMapFd(dst, operand.map)];
  if ('reg' in operand) return operand.load(dst);
  const { memory, bytes, align } = operand;
  if (typeof memory === 'number') {
    checkStack(what, memory, typeof bytes === 'number' ? bytes : 1, align);
    return [mov(dst, 'r10'), add(dst, memory)];
  }
  // The types refuse it; programs may come from JavaScript.
  if ((memory as string) === 'r10')
    throw new DslError('STACK_RANGE', `${what}: r10 is the end of the stack: say an offset, such as -8`);
  return load(what, dst, memory);
}
