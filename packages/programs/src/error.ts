import type { SysError } from '@bpf/sys';

/** What can be wrong with a program: the `code` of a {@link ProgramError}. */
export type ProgramErrorCode =
  | 'VERIFIER'
  | 'NO_TARGET'
  | 'NOT_ATTACHABLE'
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

/** The verifier refused the program. The message says why and at which instruction; `log` is all that it said. */
export class VerifierError extends ProgramError {
  override readonly name = 'VerifierError';
  readonly log: string;

  constructor(program: string, refusal: SysError) {
    const log = refusal.log ?? '';
    const { reason, instruction } = readLog(log);
    super(
      'VERIFIER',
      `the verifier refused program '${program}' (${refusal.code}): ${reason}${instruction ? `\n  at ${instruction}` : ''}`,
      refusal,
    );
    this.log = log;
  }
}

/** The log ends with the instruction refused, why, and statistics. */
function readLog(log: string): { reason: string; instruction: string | undefined } {
  const lines = log
    .split('\n')
    .filter((line) => line !== '' && !/^(processed \d+ insns|verification time|stack depth)/.test(line));
  const isInstruction = (line: string): boolean => /^\d+: \([0-9a-f]{2}\) /.test(line);
  return { reason: lines.at(-1) ?? 'no reason given', instruction: lines.findLast(isInstruction) };
}
