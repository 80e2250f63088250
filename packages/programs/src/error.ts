import { relative } from 'node:path';
import type { Insn, SourceLocation } from '@bpf/insn';
import * as helpers from '@bpf/insn/helpers';
import { formatInsn } from '@bpf/insn/text';
import type { SysError } from '@bpf/sys';
import { slotsOf } from './slots.ts';
import type { ProgramSpec } from './spec.ts';
import { hintFor } from './verifier/hints.ts';
import { locate } from './verifier/locate.ts';
import { parseVerifierLog, readRefusal, type VerifierStep } from './verifier/log.ts';

/** What can be wrong with a program: the `code` of a {@link ProgramError}. */
export type ProgramErrorCode =
  | 'VERIFIER'
  | 'NO_TARGET'
  | 'NOT_ATTACHABLE'
  | 'NOT_DETACHABLE'
  | 'NOT_UPDATABLE'
  | 'NOT_A_LINK'
  | 'NOT_ELF'
  | 'NOT_RUNNABLE'
  | 'ITER_INFO'
  | 'RECORD_SPLIT'
  | 'ELEMENT_TOO_LARGE'
  | 'RESTARTED';

/** A program that cannot be loaded, attached or read. */
export class ProgramError extends Error {
  override readonly name: string = 'ProgramError';
  readonly code: ProgramErrorCode;

  constructor(code: ProgramErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * The verifier refused the program. The message says which instruction and why, in the kernel's words, and what to do:
 *
 * ```text
 * program 'ps' was refused at ps.ts:13:3: r0 = r2
 * R2 !read_ok: r2 was not written on the way here; write it first
 * ```
 *
 * @example
 * ```ts
 * try {
 *   loadProgram(spec);
 * } catch (error) {
 *   if (error instanceof VerifierError) console.log(error.message, error.steps.at(-1)?.before);
 * }
 * ```
 */
export class VerifierError extends ProgramError {
  override readonly name = 'VerifierError';
  /** All that the verifier said. */
  readonly log: string;
  /** Why, in the kernel's words. */
  readonly reason: string;
  /** What to do, in one sentence; undefined for a reason that is not known here. */
  readonly hint: string | undefined;
  /** The slot of the instruction that was refused, counted from 0; undefined where the kernel does not say. */
  readonly slot: number | undefined;
  /** The instruction of that slot. */
  readonly insn: Insn | undefined;
  /** The call that built it, when the program was built under `captureSource`. */
  readonly source: SourceLocation | undefined;
  #steps: readonly VerifierStep[] | undefined;

  constructor(spec: ProgramSpec, refusal: SysError) {
    const log = refusal.log ?? '';
    const { reason, ...last } = readRefusal(log);
    const slots = slotsOf(spec.instructions);
    const slot = locate(reason, slots) ?? last.slot;
    const insn = slot === undefined ? undefined : slots[slot];
    const afterCall = slots.slice(0, slot).some(({ kind }) => kind.startsWith('call'));
    const hint = hintFor(reason, { type: spec.type, insn, afterCall });
    const instruction = insn ? formatInsn(insn, { helpers }) : last.text;
    const where = insn?.at ? placeOf(insn.at) : `slot ${slot}`;
    super(
      'VERIFIER',
      `program '${spec.name}' was refused${slot === undefined ? '' : ` at ${where}: ${instruction}`}\n` +
        `${reason}${hint === undefined ? '' : `: ${hint}`}`,
      refusal,
    );
    this.log = log;
    this.reason = reason;
    this.hint = hint;
    this.slot = slot;
    this.insn = insn;
    this.source = insn?.at;
  }

  /** The instructions that the verifier followed to the refusal, with what it knew of the registers. */
  get steps(): readonly VerifierStep[] {
    this.#steps ??= parseVerifierLog(this.log);
    return this.#steps;
  }
}

/** As editors and terminals make links of it. */
function placeOf({ file, line, column }: SourceLocation): string {
  const near = relative(process.cwd(), file);
  return `${near === '' || near.startsWith('..') ? file : near}:${line}:${column}`;
}
