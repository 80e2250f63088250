import type { Insn } from '@bpf/insn';

/** What a hint may look at beside the reason. */
export interface Refused {
  /** The type of the program. */
  readonly type: string;
  readonly insn: Insn | undefined;
  /** Whether there is a call somewhere before the instruction. */
  readonly afterCall: boolean;
}

/** Undefined when it is not for this refusal after all. */
type Sentence = (match: readonly string[], refused: Refused) => string | undefined;

/** A reason of the kernel's, and the sentence that says what is wrong and what to do. */
export type Hint = readonly [reason: RegExp, sentence: string | Sentence];
