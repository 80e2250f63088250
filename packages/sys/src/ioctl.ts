import { sysError } from './error.ts';
import { type FdLike, fdNumber } from './fd.ts';
import { getLibc } from './libc.ts';
import { rawSyscall, type SyscallArgument } from './raw-syscall.ts';

/**
 * ioctl(2): a request to whatever `fd` is. What the kernel reads or writes at an address depends on the request, so memory
 * must be as long as the request wants. Any Linux.
 *
 * @param argument an integer, or memory, for its address
 * @throws SysError; RangeError for a request that is no u32
 * @example
 * ```ts
 * const FIONREAD = 0x541b;
 * const waiting = withScope((scope) => {
 *   const count = scope.alloc(4);
 *   ioctl(0, FIONREAD, count);
 *   return count.view.getInt32(0, true);
 * });
 * ```
 */
export function ioctl(fd: FdLike, request: number, argument: SyscallArgument = 0): number {
  const number = fdNumber(fd);
  if (!Number.isInteger(request) || request < 0 || request > 0xffff_ffff)
    throw new RangeError(`the request is ${request}; it must be an integer in 0..4294967295`);
  const result = Number(rawSyscall(getLibc().numbers.ioctl, number, request, argument));
  if (result < 0) throw sysError('ioctl', -result, `request 0x${request.toString(16)} of descriptor ${number}`);
  return result;
}
