import { fstatSync } from 'node:fs';
import type { FdLike } from '@bpf/sys';
import { Link } from '../link.ts';
import type { Attachable } from './make.ts';
import { setSocketOption } from './syscalls.ts';

/** Options of SOL_SOCKET, which are the same on x86-64, arm64, riscv64 and loong64. */
const SO_DETACH_FILTER = 27;
const SO_ATTACH_BPF = 50;
const SO_ATTACH_REUSEPORT_EBPF = 52;
const SO_DETACH_REUSEPORT_BPF = 68;

/**
 * Puts a socket_filter program on a socket: what it returns is how many bytes of a packet are kept. Linux 3.19. It ends with
 * the socket, or when the link is closed.
 *
 * @param socket stays the caller's
 * @throws SysError 'ENOTSOCK', 'EINVAL' for a program of another type, 'EPERM' when its filter is locked
 * @example
 * ```ts
 * using link = attachSocketFilter(program, socketFd);
 * ```
 */
export function attachSocketFilter(program: Attachable, socket: FdLike): Link {
  return attachToSocket(program, socket, SO_ATTACH_BPF, SO_DETACH_FILTER);
}

/**
 * Lets a program of type sk_reuseport (Linux 4.19) or socket_filter (4.5) choose among the sockets that share a port with
 * SO_REUSEPORT: of any one of them, for all. Detaching needs Linux 5.3.
 *
 * @param socket one of the group, stays the caller's
 * @throws SysError 'ENOTSOCK', 'EINVAL' for a socket without SO_REUSEPORT, or a program of another type
 * @example
 * ```ts
 * using link = attachReuseport(program, socketFd);
 * ```
 */
export function attachReuseport(program: Attachable, socket: FdLike): Link {
  return attachToSocket(program, socket, SO_ATTACH_REUSEPORT_EBPF, SO_DETACH_REUSEPORT_BPF);
}

function attachToSocket(program: Attachable, socket: FdLike, attach: number, detach: number): Link {
  const fd = typeof socket === 'number' ? socket : socket.fd;
  const set = (prog: number): void =>
    setSocketOption(fd, attach, prog, `descriptor ${fd} must be a socket of a kind that takes such a program`);
  set(program.fd);
  const inode = inodeOf(fd);
  return new Link('setsockopt', undefined, {
    // A descriptor of its own would keep the socket open when its owner closes it, and the number may be another's now.
    detach() {
      if (inodeOf(fd) === inode) setSocketOption(fd, detach, 0, `descriptor ${fd} has no such program any more`);
    },
    update: (next) => set(next.fd),
  });
}

function inodeOf(fd: number): string | undefined {
  try {
    const { dev, ino } = fstatSync(fd);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
