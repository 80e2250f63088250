import { createRequire } from 'node:module';
import { UnavailableError } from './error.ts';
import { requireLinux } from './machine.ts';

type Koffi = typeof import('koffi');

/** The C library, as far as this package calls it. Addresses are numbers: user space ends below 2^53 everywhere. */
export interface Libc {
  readonly koffi: Koffi;
  /** syscall(2) with three arguments: a result, or -1 with the reason in `errno[0]`. */
  syscall(number: number, a: number, b: number, c: number): number;
  /** syscall(2) with six; results above 2^53 come as a bigint. */
  syscall6(number: number, a: number, b: number, c: number, d: number, e: number, f: number): number | bigint;
  /** This thread's errno. Read it in the statement after the call: anything in between may overwrite it. */
  readonly errno: Int32Array;
  /** The numbers of the system calls on this architecture. */
  readonly numbers: Readonly<Record<SyscallName, number>>;
}

export type SyscallName = keyof typeof ARM64;

/** The numbers of asm-generic/unistd.h, which arm64, riscv64 and loong64 share. */
const ARM64 = {
  bpf: 280,
  perf_event_open: 241,
  mmap: 222,
  munmap: 215,
  read: 63,
  write: 64,
  openat: 56,
  close: 57,
  ioctl: 29,
  eventfd2: 19,
  epoll_create1: 20,
  epoll_ctl: 21,
  epoll_pwait: 22,
  ppoll: 73,
  prlimit64: 261,
  socket: 198,
  bind: 200,
  sendto: 206,
  recvfrom: 207,
  setsockopt: 208,
  getsockname: 204,
} as const;

const X64: Readonly<Record<SyscallName, number>> = {
  bpf: 321,
  perf_event_open: 298,
  mmap: 9,
  munmap: 11,
  read: 0,
  write: 1,
  openat: 257,
  close: 3,
  ioctl: 16,
  eventfd2: 290,
  epoll_create1: 291,
  epoll_ctl: 233,
  epoll_pwait: 281,
  ppoll: 271,
  prlimit64: 302,
  socket: 41,
  bind: 49,
  sendto: 44,
  recvfrom: 45,
  setsockopt: 54,
  getsockname: 51,
};

/** By Node's name of the architecture: little-endian, 64-bit ones. */
const NUMBERS: Readonly<Record<string, Libc['numbers']>> = { x64: X64, arm64: ARM64, riscv64: ARM64, loong64: ARM64 };

let libc: Libc | undefined;

/**
 * Loads the C library at the first call, so that importing this package does nothing and works anywhere. Each Worker has
 * its own, because errno is a thread's.
 *
 * @throws UnavailableError where there is no Linux, or no koffi for it
 */
export function getLibc(): Libc {
  libc ??= loadLibc();
  return libc;
}

/** The C library, if a call has loaded it. */
export const loadedLibc = (): Libc | undefined => libc;

function loadLibc(): Libc {
  requireLinux();
  const numbers = NUMBERS[process.arch];
  if (numbers === undefined)
    throw new UnavailableError(
      `BPF on ${process.arch} is not supported by this package: it is on ${Object.keys(NUMBERS).join(', ')}.`,
    );
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new UnavailableError(
      `The native part of the koffi package does not load on ${process.platform}-${process.arch}: install it for this machine (its own message: ${firstLine(cause)}).`,
      { cause },
    );
  }
  // The process itself has a C library loaded, whichever it is (glibc or musl).
  const lib = koffi.load(null);
  // Fixed arity is three times as fast as the variadic declaration, and each argument costs.
  const syscall = lib.func('long syscall(long, long, long, long)') as Libc['syscall'];
  const syscall6 = lib.func('long syscall(long, long, long, long, long, long, long)') as Libc['syscall6'];
  const errnoLocation = lib.func('void *__errno_location()') as () => bigint;
  return { koffi, syscall, syscall6, numbers, errno: new Int32Array(koffi.view(errnoLocation(), 4)) };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
