import { sysError } from './error.ts';
import { type FdLike, fdNumber } from './fd.ts';
import { getLibc } from './libc.ts';
import { LE, withScope } from './memory.ts';
import { rawSyscall } from './raw-syscall.ts';

const POLLIN = 0x1;
/** struct pollfd: fd at 0, events at 4, revents at 6. */
const POLLFD_BYTES = 8;
const EINTR = 4;

/**
 * Blocks this thread until one of the descriptors can be read, or its other end is gone, as ppoll(2) does. Nothing else
 * runs meanwhile: to wait beside other things, use {@link pollFd}. Any Linux.
 *
 * @param timeoutMs milliseconds; Infinity waits for as long as it takes, 0 only looks
 * @returns the numbers of those that are ready; none after the time, and when a signal came
 * @throws SysError; RangeError for a time that is no number, or negative
 * @example
 * ```ts
 * while (waitReadable([ringBuffer], 1000).length === 0) console.log('nothing for a second');
 * ```
 */
export function waitReadable(fds: readonly FdLike[], timeoutMs: number): number[] {
  if (!(timeoutMs >= 0)) throw new RangeError(`timeoutMs is ${timeoutMs}; it must be at least 0, or Infinity`);
  const numbers = fds.map(fdNumber);
  return withScope((scope) => {
    const polled = scope.alloc(numbers.length * POLLFD_BYTES);
    for (const [i, fd] of numbers.entries()) {
      polled.view.setInt32(i * POLLFD_BYTES, fd, LE);
      polled.view.setInt16(i * POLLFD_BYTES + 4, POLLIN, LE);
    }
    const timespec = scope.alloc(16);
    const seconds = Math.floor(timeoutMs / 1000);
    // Infinity, and what is as good as that.
    const forever = seconds > Number.MAX_SAFE_INTEGER;
    if (!forever) {
      timespec.view.setBigInt64(0, BigInt(seconds), LE);
      timespec.view.setBigInt64(8, BigInt(Math.floor((timeoutMs % 1000) * 1e6)), LE);
    }
    const time = forever ? 0 : timespec.address;
    const result = Number(rawSyscall(getLibc().numbers.ppoll, polled.address, numbers.length, time, 0, 0));
    if (result < 0 && result !== -EINTR) throw sysError('ppoll', -result, `${numbers.length} descriptors`);
    return numbers.filter((_, i) => result > 0 && polled.view.getInt16(i * POLLFD_BYTES + 6, LE) !== 0);
  });
}
