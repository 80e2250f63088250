/** The facts of a failed system call. */
export interface SysErrorFacts {
  /** Such as 'EPERM'. */
  readonly code: string;
  /** The number behind the code, or 0 when no system call was made. */
  readonly errno: number;
  /** Such as 'bpf'. */
  readonly syscall: string;
  /** The bpf(2) command, such as 'BPF_MAP_CREATE'. */
  readonly command?: string;
  /** What is wrong and what to do, in one sentence. */
  readonly hint?: string;
  /** What the verifier said, of a program that was refused. */
  readonly log?: string;
  readonly cause?: unknown;
}

/** A system call that failed. */
export class SysError extends Error {
  override readonly name: string = 'SysError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly command: string | undefined;
  readonly log: string | undefined;

  constructor(facts: SysErrorFacts, message?: string) {
    const call = facts.command ? `${facts.syscall}(${facts.command})` : facts.syscall;
    super(message ?? `${call} failed with ${facts.code}${facts.hint ? `: ${facts.hint}` : ''}`, { cause: facts.cause });
    this.code = facts.code;
    this.errno = facts.errno;
    this.syscall = facts.syscall;
    this.command = facts.command;
    this.log = facts.log;
  }
}

/**
 * This machine cannot do it, however the call is written: not Linux, no privilege, a kernel too old or one whose policy
 * refuses. The message is one sentence that says which, and what to do.
 */
export class UnavailableError extends SysError {
  override readonly name = 'UnavailableError';

  constructor(message: string, facts: Partial<SysErrorFacts> = {}) {
    super({ code: 'ENOSYS', errno: 0, syscall: 'bpf', ...facts }, message);
  }
}
