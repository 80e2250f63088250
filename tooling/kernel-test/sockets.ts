// Sockets of system calls, which are synchronous: inside a network namespace, nothing may wait.
import { closeSync } from 'node:fs';
import { errnoName, rawSyscall, type Scope, withScope } from '@bpf/sys';

/** Numbers of system calls. */
const [SOCKET, BIND, LISTEN, ACCEPT, CONNECT, GETSOCKNAME, GETPEERNAME, SENDTO, RECVFROM, SETSOCKOPT, GETSOCKOPT] =
  process.arch === 'x64'
    ? [41, 49, 50, 43, 42, 51, 52, 44, 45, 54, 55]
    : [198, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209];
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_REUSEPORT = 15;
const ADDRESS_BYTES = 128;

export const [AF_UNIX, AF_INET, AF_INET6, AF_PACKET] = [1, 2, 10, 17];
export const [STREAM, DGRAM, RAW] = [1, 2, 3];

/** The address of this host itself, or for AF_UNIX one without a file. */
export function loopback(family: number, port: number): Uint8Array {
  if (family === AF_UNIX) return Uint8Array.of(1, 0, 0, ...new TextEncoder().encode(`bpf_test_${process.pid}_${port}`));
  const head = [family, 0, port >> 8, port & 255];
  if (family === AF_INET) return Uint8Array.of(...head, 127, 0, 0, 1, ...new Uint8Array(8));
  return Uint8Array.of(...head, ...new Uint8Array(4), ...new Uint8Array(15), 1, ...new Uint8Array(4));
}

export class Socket implements Disposable {
  readonly fd: number;

  constructor(family: number, type: number) {
    this.fd = call('socket', SOCKET, family, type | 0o2000000, 0);
    const second = new BigUint64Array([1n, 0n]);
    withScope((scope) => this.#option(scope, SO_RCVTIMEO, new Uint8Array(second.buffer)));
  }

  bind(address: Uint8Array): this {
    return this.#with('bind', BIND, address);
  }

  connect(address: Uint8Array): this {
    return this.#with('connect', CONNECT, address);
  }

  listen(): this {
    call('listen', LISTEN, this.fd, 8);
    return this;
  }

  /** The descriptor of a connection, for the caller to close. */
  accept(): number {
    return call('accept', ACCEPT, this.fd, 0, 0);
  }

  sharePort(): this {
    withScope((scope) => this.#option(scope, SO_REUSEPORT, Uint8Array.of(1, 0, 0, 0)));
    return this;
  }

  /** Chooses TCP's congestion control. */
  congestion(name: string): this {
    const [IPPROTO_TCP, TCP_CONGESTION] = [6, 13];
    const bytes = new TextEncoder().encode(name);
    withScope((scope) =>
      call('setsockopt', SETSOCKOPT, this.fd, IPPROTO_TCP, TCP_CONGESTION, scope.copy(bytes), bytes.byteLength),
    );
    return this;
  }

  /** Reads an option. */
  option(): void {
    withScope((scope) => {
      const length = scope.copy(Uint8Array.of(16, 0, 0, 0));
      call('getsockopt', GETSOCKOPT, this.fd, SOL_SOCKET, SO_RCVTIMEO, scope.alloc(16).address, length);
    });
  }

  /** The kernel's number for it, SO_COOKIE. */
  get cookie(): bigint {
    const SO_COOKIE = 57;
    return withScope((scope) => {
      const length = scope.copy(Uint8Array.of(8, 0, 0, 0));
      const value = scope.alloc(8);
      call('getsockopt', GETSOCKOPT, this.fd, SOL_SOCKET, SO_COOKIE, value.address, length);
      return value.view.getBigUint64(0, true);
    });
  }

  names(): void {
    for (const [name, number] of [
      ['getsockname', GETSOCKNAME],
      ['getpeername', GETPEERNAME],
    ] as const)
      withScope((scope) => {
        const length = scope.copy(Uint8Array.of(ADDRESS_BYTES, 0, 0, 0));
        call(name, number, this.fd, scope.alloc(ADDRESS_BYTES).address, length);
      });
  }

  send(bytes: Uint8Array, address?: Uint8Array): void {
    send(this.fd, bytes, address);
  }

  /** Whether something has come within a second. */
  receive(): boolean {
    return receive(this.fd);
  }

  #with(name: string, number: number, address: Uint8Array): this {
    withScope((scope) => call(name, number, this.fd, scope.copy(address), address.byteLength));
    return this;
  }

  #option(scope: Scope, option: number, value: Uint8Array): void {
    call('setsockopt', SETSOCKOPT, this.fd, SOL_SOCKET, option, scope.copy(value), value.byteLength);
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

export function send(fd: number, bytes: Uint8Array, address?: Uint8Array): void {
  withScope((scope) => {
    const to = address ? scope.copy(address) : 0;
    call('sendto', SENDTO, fd, scope.copy(bytes), bytes.byteLength, 0, to, address?.byteLength ?? 0);
  });
}

export function receive(fd: number): boolean {
  return withScope((scope) => {
    const length = scope.copy(Uint8Array.of(ADDRESS_BYTES, 0, 0, 0));
    const from = scope.alloc(ADDRESS_BYTES);
    return rawSyscall(RECVFROM, fd, scope.alloc(64), 64, 0, from, length) >= 0;
  });
}

function call(name: string, number: number, ...args: readonly number[]): number {
  const result = Number(rawSyscall(number, ...args));
  if (result < 0) throw new Error(`${name}: ${errnoName(-result)}`);
  return result;
}
