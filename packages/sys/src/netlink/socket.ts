import { Fd } from '../fd.ts';
import { getLibc, type SyscallName } from '../libc.ts';
import { LE, type NativeMemory, type Scope } from '../memory.ts';
import { netlinkError } from './error.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const EINTR = 4;
const EMSGSIZE = 90;

/** The kernel answers within the call that asks, so this only bounds what must not be. */
const TIMEOUT_SECONDS = 5;
/** struct sockaddr_nl: nl_family 0, nl_pid 4 (0: the kernel), nl_groups 8. */
const SOCKADDR_NL_BYTES = 12;
/** The kernel makes no datagram of a list longer than this (netlink_dump in net/netlink/af_netlink.c). */
const DATAGRAM_BYTES = 32 * 1024;
/** One piece of memory: the sender's sockaddr_nl at 0, its length at 12, the datagram. */
const DATAGRAM_AT = 16;

/** A socket of netlink(7) for one request, in the network namespace of the calling thread. */
export class RtSocket extends Fd {
  readonly #command: string;
  readonly #memory: NativeMemory;

  /**
   * @param scope outlives the socket
   * @param command for errors
   * @throws SysError, UnavailableError
   */
  constructor(scope: Scope, command: string) {
    super(call(command, 'socket', AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    this.#command = command;
    this.#memory = scope.alloc(DATAGRAM_AT + DATAGRAM_BYTES);
    try {
      const option = scope.alloc(16);
      option.view.setUint32(0, 1, LE);
      this.#call('setsockopt', SOL_NETLINK, NETLINK_CAP_ACK, option.address, 4);
      this.#call('setsockopt', SOL_NETLINK, NETLINK_EXT_ACK, option.address, 4);
      option.view.setUint32(0, TIMEOUT_SECONDS, LE); // a struct timeval
      this.#call('setsockopt', SOL_SOCKET, SO_RCVTIMEO, option.address, 16);
      this.#call('bind', this.#kernelAddress(), SOCKADDR_NL_BYTES);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sends a datagram to the kernel. */
  send(scope: Scope, bytes: Uint8Array): void {
    this.#call('sendto', scope.copy(bytes), bytes.byteLength, 0, this.#kernelAddress(), SOCKADDR_NL_BYTES);
  }

  /** The next datagram that the kernel sent; what others send is dropped. */
  receive(): Uint8Array {
    const { address, bytes, view } = this.#memory;
    for (;;) {
      view.setUint32(12, SOCKADDR_NL_BYTES, LE);
      // With MSG_TRUNC the result is the whole length, however much of it fits.
      const length = this.#call('recvfrom', address + DATAGRAM_AT, DATAGRAM_BYTES, MSG_TRUNC, address, address + 12);
      if (length > DATAGRAM_BYTES) {
        const sentence = `an answer of ${length} bytes, of which ${DATAGRAM_BYTES} fit`;
        throw netlinkError(this.#command, { errno: EMSGSIZE, sentence });
      }
      if (view.getUint32(4, LE) === 0) return bytes.slice(DATAGRAM_AT, DATAGRAM_AT + length);
    }
  }

  #kernelAddress(): number {
    this.#memory.bytes.fill(0, 0, SOCKADDR_NL_BYTES);
    this.#memory.view.setUint16(0, AF_NETLINK, LE);
    return this.#memory.address;
  }

  #call(name: SyscallName, ...args: readonly number[]): number {
    return call(this.#command, name, this.fd, ...args);
  }
}

/** Makes a system call, again when a signal came. */
function call(command: string, name: SyscallName, ...args: readonly number[]): number {
  const { syscall6, numbers, errno } = getLibc();
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = args;
  for (;;) {
    const result = Number(syscall6(numbers[name], a, b, c, d, e, f));
    if (result >= 0) return result;
    const failed = errno[0] as number;
    if (failed !== EINTR) throw netlinkError(command, { errno: failed, sentence: `${name}(2) failed` });
  }
}
