import { add, call, exit, ldMapFd, mov, type Program, st } from '@bpf/insn';
import type { ProgramSpec } from '../src/index.ts';

/** A program that the verifier refuses, and what is to be said of it. */
export interface Refused {
  readonly name: string;
  /** A socket_filter unless `spec` says otherwise. */
  readonly instructions: Program;
  readonly spec?: Partial<ProgramSpec>;
  /** The kernel's sentence: where releases differ, the alternatives are in the order of the releases. */
  readonly reason: RegExp;
  /** The slot of the instruction; undefined where the kernel does not say, or the refusal is of no single one. */
  readonly slot: number | undefined;
  readonly hint: RegExp;
  /** Some kernels do not say which slot. */
  readonly slotMayLack?: true;
  /** Why some kernels take it, where they do. */
  readonly accepted?: string;
}

export const PRANDOM = 7;
export const RINGBUF_RESERVE = 131;
export const RINGBUF_SUBMIT = 132;

export const ok: Program = [mov('r0', 0), exit()];

/** r0 = the value of the first key, or null: 6 slots. */
export const lookUp = (map: string): Program => [
  st('w', 'r10', -4, 0),
  mov('r2', 'r10'),
  add('r2', -4),
  ldMapFd('r1', map),
  call(1),
];

/** r0 = 8 bytes of a ring buffer, or null: 5 slots. */
export const reserve: Program = [ldMapFd('r1', 'events'), mov('r2', 8), mov('r3', 0), call(RINGBUF_RESERVE)];
