import { sysError } from './error.ts';
import { getLibc } from './libc.ts';
import { LE, withScope } from './memory.ts';
import { rawSyscall } from './raw-syscall.ts';

const RLIMIT_MEMLOCK = 8;
const RLIM_INFINITY = 2n ** 64n - 1n;
const EPERM = 1;
const SELF = 0;

/**
 * Lifts this process's limit of locked memory, RLIMIT_MEMLOCK of prlimit(2), for good. Linux before 5.11 counts maps and programs as
 * locked memory and answers EPERM when there is too much of it; later ones do not: {@link mapCreate} and {@link progLoad}
 * lift it by themselves then. It is inherited by child processes.
 *
 * @returns whether it was changed: false when there was no limit
 * @throws SysError 'EPERM' when that needs CAP_SYS_RESOURCE; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * if (!kernelAtLeast(readMachine().release, 5, 11)) raiseMemlock();
 * ```
 */
export function raiseMemlock(): boolean {
  return withScope((scope) => {
    // struct rlimit64: the limit in force at 0, how far it may be raised at 8.
    const limit = scope.alloc(16);
    prlimit64(0, limit.address);
    if (limit.view.getBigUint64(0, LE) === RLIM_INFINITY) return false;
    limit.view.setBigUint64(0, RLIM_INFINITY, LE);
    limit.view.setBigUint64(8, RLIM_INFINITY, LE);
    prlimit64(limit.address, 0);
    return true;
  });
}

function prlimit64(newLimit: number, oldLimit: number): void {
  const result = Number(rawSyscall(getLibc().numbers.prlimit64, SELF, RLIMIT_MEMLOCK, newLimit, oldLimit));
  if (result === 0) return;
  const hint =
    'the limit of locked memory can be lifted with CAP_SYS_RESOURCE only: start the process after "ulimit -l unlimited"';
  throw sysError('prlimit64', -result, -result === EPERM ? hint : undefined);
}
