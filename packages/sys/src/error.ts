import { errnoName } from './errno.ts';

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
  /** The path that the call was about. */
  readonly path?: string;
  /** What is wrong and what to do, in one sentence. */
  readonly hint?: string;
  /** What the verifier said, of a program that was refused. */
  readonly log?: string;
  /** How much of a batch was done before. */
  readonly count?: number;
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
  readonly count: number | undefined;

  constructor(facts: SysErrorFacts, message?: string) {
    const call = facts.command ? `${facts.syscall}(${facts.command})` : facts.syscall;
    const where = facts.path === undefined ? '' : ` of '${facts.path}'`;
    super(message ?? `${call}${where} failed with ${facts.code}${facts.hint ? `: ${facts.hint}` : ''}`, {
      cause: facts.cause,
    });
    this.code = facts.code;
    this.errno = facts.errno;
    this.syscall = facts.syscall;
    this.command = facts.command;
    this.log = facts.log;
    this.count = facts.count;
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

/** The error of a system call that failed with this errno. `hint` says what it was called for, and what to do. */
export function sysError(syscall: string, errno: number, hint?: string): SysError {
  return new SysError({ code: errnoName(errno), errno, syscall, ...(hint === undefined ? {} : { hint }) });
}
