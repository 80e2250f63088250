import { enableStats, type Fd, type HasFd, progGetInfo } from '@bpf/sys';

/** What a program did since it is watched. */
export interface Runs {
  readonly count: bigint;
  /** Nanoseconds, all runs together. */
  readonly time: bigint;
  /** Nanoseconds of a run, on average: 0 when there was none. */
  readonly mean: number;
  /** Runs that were left out because the program, or another at the same place, ran already. Linux 5.12. */
  readonly missed: bigint;
}

/** Counts what one program does: see {@link watchRuns}. */
export class RunStats implements Disposable {
  readonly #program: HasFd;
  readonly #stats: Fd;
  readonly #start: { readonly count: bigint; readonly time: bigint; readonly missed: bigint };

  constructor(program: HasFd) {
    this.#program = program;
    this.#start = totals(program);
    this.#stats = enableStats();
  }

  /** What the program did since. @throws TypeError when the program or this is closed */
  read(): Runs {
    // Closed, the kernel may count no longer.
    void this.#stats.fd;
    const now = totals(this.#program);
    const count = now.count - this.#start.count;
    const time = now.time - this.#start.time;
    return {
      count,
      time,
      mean: count === 0n ? 0 : Number(time) / Number(count),
      missed: now.missed - this.#start.missed,
    };
  }

  /** Ends the counting, unless others count too. The program stays. */
  close(): void {
    this.#stats.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Counts the runs of a program and their time from now on. The kernel counts those of all programs meanwhile, which costs
 * each run some tens of nanoseconds: close it when done. Runs of `runProgram` count too. Needs CAP_SYS_ADMIN. Linux 5.8.
 *
 * @throws SysError, UnavailableError
 * @example
 * ```ts
 * using stats = watchRuns(program);
 * // ...
 * const { count, mean } = stats.read();
 * ```
 */
export function watchRuns(program: HasFd): RunStats {
  return new RunStats(program);
}

function totals(program: HasFd) {
  const { runCnt, runTimeNs, recursionMisses } = progGetInfo(program);
  return { count: runCnt, time: runTimeNs, missed: recursionMisses };
}
