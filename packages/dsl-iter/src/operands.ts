import { add, call, ldx, mov, type Program, type Register, type WritableRegister } from '@bpf/insn';
import type { IterContext } from './context.ts';
import { IterError } from './error.ts';
import { type IterTarget, metaFields } from './targets.ts';

/**
 * Where a sequence finds the pass that it belongs to: the register that holds the meta pointer, as `prologueWithMeta`
 * leaves it, or the context, from which it loads that (one instruction more, and no register kept for it).
 */
export type Meta = Register | IterContext<IterTarget>;

/** What goes into an argument's register. */
type Operand = Register | number | { readonly stack: number } | { readonly seq: Meta };

const argumentRegisters = ['r1', 'r2', 'r3', 'r4', 'r5'] as const;

/**
 * Emits the arguments and the call. An operand in r1 to r5 is read before that register is written: the order of the
 * moves is that of the arguments unless it must be another.
 */
export function callHelper(what: string, helper: number, operands: readonly Operand[]): Program {
  const waiting = operands.map((operand, i) => {
    const dst = argumentRegisters[i] as (typeof argumentRegisters)[number];
    return { dst, source: sourceOf(operand), moves: load(dst, operand) };
  });
  const moves: Program[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ dst }) => !waiting.some((other) => other.dst !== dst && other.source === dst));
    if (next < 0)
      throw new IterError(
        'REGISTER_CLOBBERED',
        `${what}: its operands in ${waiting.map(({ source }) => source).join(' and ')} wait for each other's register; keep them in r6 to r9`,
      );
    moves.push(...waiting.splice(next, 1).map((argument) => argument.moves));
  }
  return [moves, call(helper)];
}

/** The bytes or the address that an operand says: a register, or an offset in the stack. */
export function memory(what: string, at: Register | number, bytes: Register | number): Operand {
  return typeof at === 'string' ? at : { stack: checkStack(what, at, typeof bytes === 'number' ? bytes : 1) };
}

function sourceOf(operand: Operand): Register | undefined {
  if (typeof operand === 'string') return operand;
  if (typeof operand === 'number' || 'stack' in operand) return undefined;
  return typeof operand.seq === 'string' ? operand.seq : operand.seq.reg;
}

function load(dst: WritableRegister, operand: Operand): Program {
  if (typeof operand === 'string') return operand === dst ? [] : [mov(dst, operand)];
  if (typeof operand === 'number') return [mov(dst, operand)];
  if ('stack' in operand) return [mov(dst, 'r10'), add(dst, operand.stack)];
  return loadMeta(dst, operand.seq, 'seq');
}

/** Emits `dst = meta->field`. */
export function loadMeta(dst: WritableRegister, meta: Meta, field: keyof typeof metaFields): Program {
  if (typeof meta === 'string') return [ldx('dw', dst, meta, metaFields[field])];
  return [ldx('dw', dst, meta.reg, 0), ldx('dw', dst, dst, metaFields[field])];
}

const STACK_BYTES = 512;

/** @returns the offset, when `bytes` from there on are in the stack and it is a multiple of `align` */
export function checkStack(what: string, at: number, bytes: number, align = 1): number {
  if (!Number.isInteger(at) || at < -STACK_BYTES || at + Math.max(bytes, 1) > 0)
    throw new IterError(
      'STACK_RANGE',
      `${what}: ${bytes} bytes at ${at} are not in the stack, whose offsets are -512..-1`,
    );
  if (at % align !== 0)
    throw new IterError(
      'STACK_RANGE',
      `${what}: ${at} is not a multiple of ${align}, as this offset in the stack must be`,
    );
  return at;
}
