import type { Insn } from '../insn.ts';
import { ALL_REGISTERS, ARGUMENTS, GET_SMP_PROCESSOR_ID, R10, STACK_BYTES } from './constants.ts';

/**
 * What is known of a register's value: a constant; an address on the stack, by its distance from r10; the context; or
 * something made at a slot that the verifier knows nothing of, a number or what may be a pointer.
 */
export type Value =
  | readonly [kind: 'constant' | 'stack' | 'context' | 'number' | 'pointer', detail: number]
  | undefined;

/** What may hold before an instruction. It is changed in place. */
export interface State {
  /** The registers that some path writes, as bits. */
  written: number;
  /** The registers that a call on some path took. */
  lost: number;
  /** The bytes of the stack that some path writes, as bits from r10-512 on. */
  stack: bigint;
  readonly values: Value[];
}

const ALL_STACK = (1n << BigInt(STACK_BYTES)) - 1n;

/** Before the first instruction of the program, which has its context in r1, or of another function. */
export function entryState(main: boolean): State {
  const values: Value[] = Array.from({ length: R10 + 1 }, () => undefined);
  values[R10] = ['stack', 0];
  if (main) values[1] = ['context', 0];
  return { written: (1 << R10) | (main ? 0b10 : ARGUMENTS), lost: 0, stack: 0n, values };
}

export const copyState = (state: State): State => ({ ...state, values: [...state.values] });

/** Adds to a state what holds on another path; tells whether that changed it. */
export function join(state: State, other: State): boolean {
  const { written, lost, stack } = state;
  let changed = false;
  for (const [i, value] of other.values.entries()) {
    const mine = state.values[i];
    const bit = 1 << i;
    // Where a register is not written, no program that is accepted reads it: its value is that of the other path.
    if (!(other.written & bit) || (written & bit && sameValue(mine, value))) continue;
    state.values[i] = value;
    if (!(written & bit)) continue;
    changed ||= mine !== undefined;
    if (mine?.[0] === 'stack') exposeStack(state);
    forget(state, i);
  }
  state.written |= other.written;
  state.lost |= other.lost;
  state.stack |= other.stack;
  return changed || state.written !== written || state.lost !== lost || state.stack !== stack;
}

const sameValue = (a: Value, b: Value): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1];

/** From here on, anything may write the stack. */
function exposeStack(state: State): void {
  state.stack = ALL_STACK;
}

/**
 * A value is compared, computed with or stored: a stack address may be used from wherever it is now, and what the verifier
 * learns of a number or pointer it knows of every copy.
 */
export function use(state: State, register: number): void {
  const value = state.values[register];
  if (value?.[0] === 'stack') exposeStack(state);
  if (value?.[0] !== 'number' && value?.[0] !== 'pointer') return;
  for (const [i, other] of state.values.entries()) if (sameValue(value, other)) state.values[i] = undefined;
}

/** Nothing is known of a register's value any more; of a stack address, who has it. */
function forget(state: State, register: number): void {
  if (state.values[register]?.[0] === 'stack') exposeStack(state);
  state.values[register] = undefined;
}

/** What a call does: r1-r5 are lost, and where they point may be written. */
export function takeArguments(state: State): void {
  for (let i = 1; i <= 5; i++) forget(state, i);
  state.lost |= state.written & ARGUMENTS;
  state.written &= ~ARGUMENTS;
}

/** What an instruction may do that is not known here. */
export function doAnything(state: State): void {
  state.written = ALL_REGISTERS;
  exposeStack(state);
  state.values.fill(undefined, 0, R10);
}

/** Helpers that return a number of which the verifier knows nothing. */
const NUMBERS: ReadonlySet<number> = /* @__PURE__ */ new Set([
  2, 3, 4, 5, 6, 7, 14, 15, 16, 25, 112, 113, 125, 126, 127, 130,
]);

/** The value that an instruction puts into its register. */
export function result(insn: Insn, slot: number, state: State): Value {
  const value = (name: string): Value => state.values[Number(name.slice(1))];
  switch (insn.kind) {
    case 'alu': {
      const { op, bits, src } = insn;
      if (op === 'mov' && typeof src === 'number') return ['constant', bits === 64 ? src : src >>> 0];
      if (op === 'mov' && bits === 64) return value(String(src));
      const base = value(insn.dst);
      const moved = op === 'add' && bits === 64 && base?.[0] === 'stack' && typeof src === 'number';
      return moved ? ['stack', base[1] + src] : undefined;
    }
    case 'lddw': {
      const signed = insn.source === 'imm' ? Number(BigInt.asIntN(64, insn.imm)) : Number.NaN;
      return Number.isSafeInteger(signed) ? ['constant', signed] : undefined;
    }
    case 'ldx':
      // No field of a context is a constant; one of a map may be.
      return value(insn.src)?.[0] === 'context' ? ['pointer', slot] : undefined;
    case 'call':
      if (insn.helper === GET_SMP_PROCESSOR_ID) return undefined;
      return [NUMBERS.has(insn.helper) ? 'number' : 'pointer', slot];
    default:
      return undefined;
  }
}
