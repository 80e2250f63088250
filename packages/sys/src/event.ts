import { u32 } from './check.ts';
import { sysError } from './error.ts';
import { Fd } from './fd.ts';
import { getLibc } from './libc.ts';

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;

/**
 * eventfd(2): a counter of 64 bits behind a descriptor. It is readable while it is not zero; a write of 8 bytes adds to it,
 * and a read of 8 bytes takes it all. Non-blocking. Any Linux.
 *
 * @throws SysError 'EMFILE'; RangeError; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * using event = eventFd();
 * fileWrite(event, new Uint8Array(BigUint64Array.of(1n).buffer));
 * await pollFd(event);
 * fileRead(event, 8);
 * ```
 */
export function eventFd(initial = 0): Fd {
  u32('initial', initial);
  const { syscall, numbers, errno } = getLibc();
  const fd = syscall(numbers.eventfd2, initial, EFD_CLOEXEC | EFD_NONBLOCK, 0);
  if (fd < 0) throw sysError('eventfd2', errno[0] as number);
  return new Fd(fd);
}
