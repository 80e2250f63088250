// Two system calls that @bpf/sys has no function for. Numbers of asm-generic/unistd.h, and of x86-64.
import { errnoName, Fd, type FdLike, rawSyscall, SysError, withScope } from '@bpf/sys';

const [FCNTL, SETSOCKOPT] = process.arch === 'x64' ? [72, 54] : [25, 208];
const F_DUPFD_CLOEXEC = 1030;
const SOL_SOCKET = 1;

const numberOf = (fd: FdLike): number => (typeof fd === 'number' ? fd : fd.fd);

/**
 * Another descriptor of the same thing. What is to be detached by descriptor is detached by this one: the caller may have
 * closed his, and its number may be another's by then.
 */
export function duplicate(fd: FdLike): Fd {
  return new Fd(check('fcntl', rawSyscall(FCNTL, numberOf(fd), F_DUPFD_CLOEXEC, 0), `of descriptor ${numberOf(fd)}`));
}

/** setsockopt(2) with SOL_SOCKET and an int. */
export function setSocketOption(socket: number, option: number, value: number, hint: string): void {
  withScope((scope) => {
    const int = scope.alloc(4);
    int.view.setInt32(0, value, true);
    check('setsockopt', rawSyscall(SETSOCKOPT, socket, SOL_SOCKET, option, int, 4), hint);
  });
}

function check(syscall: string, result: number | bigint, hint: string): number {
  if (result >= 0) return Number(result);
  throw new SysError({ code: errnoName(-Number(result)), errno: -Number(result), syscall, hint });
}
