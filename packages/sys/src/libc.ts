import { createRequire } from 'node:module';
import { UnavailableError } from './error.ts';
import { requireLinux } from './machine.ts';
import { BPF_SYSCALL } from './uapi.ts';

type Koffi = typeof import('koffi');

/** The C library, as far as this package calls it. */
export interface Libc {
  readonly koffi: Koffi;
  /** Returns what syscall(2) returns: a result, or -1 with the reason in `errno[0]`. */
  syscall(number: number, a: number, b: number, c: number): number;
  /** mmap(2): the address, or 2^64-1. */
  mmap(address: bigint, length: number, prot: number, flags: number, fd: number, offset: number): bigint;
  /** The number of bpf(2) on this architecture. */
  readonly bpfNumber: number;
  /** This thread's errno. Read it in the statement after the call: anything in between may overwrite it. */
  readonly errno: Int32Array;
}

let libc: Libc | undefined;

/**
 * Loads the C library at the first call, so that importing this package does nothing and works anywhere.
 *
 * @throws UnavailableError where there is no Linux, or no koffi for it
 */
export function getLibc(): Libc {
  libc ??= loadLibc();
  return libc;
}

function loadLibc(): Libc {
  requireLinux();
  const bpfNumber = BPF_SYSCALL[process.arch];
  if (bpfNumber === undefined)
    throw new UnavailableError(
      `BPF on ${process.arch} is not supported by this package: it is on ${Object.keys(BPF_SYSCALL).join(', ')}.`,
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
  // Fixed arity is three times as fast as the variadic declaration; bpf(2) takes three arguments.
  const syscall = lib.func('long syscall(long, long, long, long)') as Libc['syscall'];
  const mmap = lib.func('void *mmap(void *, size_t, int, int, int, long)') as Libc['mmap'];
  const errnoLocation = lib.func('void *__errno_location()') as () => bigint;
  return { koffi, syscall, mmap, bpfNumber, errno: new Int32Array(koffi.view(errnoLocation(), 4)) };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
}
