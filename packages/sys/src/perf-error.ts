import { errnoName } from './errno.ts';
import { type SysError, sysError, UnavailableError } from './error.ts';

const EPERM = 1;
const EACCES = 13;
const ENOSYS = 38;

/** By errno. */
const hints: Readonly<Record<number, string>> = {
  2: '; this machine does not count it, or there is no such event',
  3: '; there is no such process',
  19: '; this machine does not count it',
  22: '; a number is not one that the kernel takes for this type',
  95: '; this machine cannot sample it',
};

/** Why perf_event_open(2) failed. @internal */
export function perfEventOpenError(errno: number, what: string): SysError {
  if (errno === ENOSYS || errno === EPERM || errno === EACCES)
    return new UnavailableError(
      errno === ENOSYS
        ? 'This kernel has no perf_event_open(2): it needs CONFIG_PERF_EVENTS=y.'
        : `perf_event_open of ${what}: this process has no permission: it needs CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8, and in Debian's kernels), or a lower sysctl kernel.perf_event_paranoid.`,
      { code: errnoName(errno), errno, syscall: 'perf_event_open' },
    );
  return sysError('perf_event_open', errno, `${what}${hints[errno] ?? ''}`);
}
