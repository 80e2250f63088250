import type { Insn } from '../insn.ts';

/** What `check` finds: the `code` of a {@link Finding}. */
export type FindingCode =
  /** The program, or a function of it, goes on behind its last instruction. */
  | 'FALLS_OFF_END'
  /** No path leads there. */
  | 'UNREACHABLE'
  /** A jump or call out of the program, or a jump into another function. */
  | 'JUMP_OUTSIDE'
  /** A jump or call to the second slot of a wide instruction. */
  | 'JUMP_INTO_WIDE'
  /** A read of a register that was never written. */
  | 'UNINIT_REGISTER'
  /** A read of r1-r5 after a call. */
  | 'CLOBBERED_REGISTER'
  /** A write to r10. */
  | 'READ_ONLY_REGISTER'
  /** An access outside the 512 bytes below r10. */
  | 'STACK_BOUNDS'
  /** A stack access that is not aligned to its size. */
  | 'STACK_ALIGNMENT'
  /** A load of stack bytes that were never written. Since Linux 6.3, and in part before, those with CAP_PERFMON may. */
  | 'UNINIT_STACK'
  /** No helper has this number. */
  | 'HELPER_UNKNOWN'
  /** A constant in r0 that this type of program must not return. */
  | 'RETURN_RANGE'
  /** A division or modulo by an immediate 0. */
  | 'DIVISION_BY_ZERO'
  /** A shift by an immediate that is negative, or not less than the width. */
  | 'SHIFT_RANGE';

/** Something that the verifier refuses. */
export interface Finding {
  readonly code: FindingCode;
  /** The slot of the instruction, counted from 0; a wide instruction takes two. */
  readonly slot: number;
  readonly insn: Insn;
  /** What is wrong, where, and what to do. */
  readonly message: string;
}

/** Takes what is wrong with an instruction: the words follow the place, as in 'slot 3 reads r6, which ...'. */
export type Report = (code: FindingCode, words: string) => void;

/** The finding about an instruction, with the place that its source is known to have. */
export function finding(code: FindingCode, { insn, slot }: { insn: Insn; slot: number }, words: string): Finding {
  const at = insn.at ? ` (${insn.at.file}:${insn.at.line}:${insn.at.column})` : '';
  return { code, slot, insn, message: `slot ${slot}${at} ${words}` };
}
