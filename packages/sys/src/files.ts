import { openSync, readSync, writeSync } from 'node:fs';
import { sysError } from './error.ts';
import { Fd, type FdLike, fdNumber } from './fd.ts';
import { requireLinux } from './machine.ts';

/** Flags of open(2). They are the same on x86-64, arm64, riscv64 and loong64. */
export const O_RDONLY = 0;
/** For writing only. */
export const O_WRONLY = 1;
/** For reading and writing. */
export const O_RDWR = 2;
/** Creates the file when it is not there. */
export const O_CREAT = 0o100;
/** With O_CREAT: fails when it is there. */
export const O_EXCL = 0o200;
/** Empties it. */
export const O_TRUNC = 0o1000;
/** Every write goes to its end. */
export const O_APPEND = 0o2000;
/** A read or write that would wait fails with EAGAIN. */
export const O_NONBLOCK = 0o4000;
/** Closed in a program that this one becomes: {@link fileOpen} always sets it. */
export const O_CLOEXEC = 0o2000000;

/** For the `*at` system calls: the path is relative to the working directory. */
export const AT_FDCWD = -100;

const CHUNK_BYTES = 64 * 1024;
/** read(2) and write(2) never transfer more at once. */
const MAX_RW_COUNT = 0x7fff_f000;

/**
 * Opens a file, as openat(2) does with AT_FDCWD. O_CLOEXEC is always added. Any Linux.
 *
 * @param flags one of O_RDONLY, O_WRONLY, O_RDWR, and others
 * @param mode permissions of a file that is created, less the umask
 * @throws SysError 'ENOENT', 'EACCES' and its like; RangeError for flags or a mode that are no number; UnavailableError
 *   anywhere but on Linux
 * @example
 * ```ts
 * using file = fileOpen('/sys/kernel/tracing/trace_pipe', O_RDONLY | O_NONBLOCK);
 * ```
 */
export function fileOpen(path: string, flags: number, mode = 0o644): Fd {
  requireLinux();
  if (!Number.isInteger(flags) || flags < 0 || flags > 0x7fff_ffff)
    throw new RangeError(`the flags are ${flags}; they must be an integer in 0..2147483647, such as O_RDONLY`);
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o7777)
    throw new RangeError(`the mode is ${mode}; it must be an integer in 0..0o7777`);
  // Node retries EINTR here, and adds O_CLOEXEC by itself.
  return new Fd(node('openat', path, () => openSync(path, flags | O_CLOEXEC, mode)));
}

/**
 * One read(2) of at most `size` bytes, repeated only when a signal interrupts it. Empty at the end of the file. Any Linux.
 *
 * @throws SysError: 'EAGAIN' from a non-blocking descriptor that has nothing, and from a BPF iterator whose program asks
 *   for its element again; RangeError for a size beyond 2147479552, which is as much as the kernel reads at once
 * @example
 * ```ts
 * using file = fileOpen('/proc/version', O_RDONLY);
 * console.log(new TextDecoder().decode(fileRead(file, 4096)));
 * ```
 */
export function fileRead(fd: FdLike, size: number): Uint8Array {
  if (!Number.isInteger(size) || size < 0 || size > MAX_RW_COUNT)
    throw new RangeError(`the size is ${size}; it must be an integer in 0..${MAX_RW_COUNT}`);
  const number = fdNumber(fd);
  const bytes = new Uint8Array(size);
  const length = node('read', `descriptor ${number}`, () => readSync(number, bytes, 0, size, null));
  return bytes.subarray(0, length);
}

/**
 * One write(2), repeated only when a signal interrupts it. Text is written in UTF-8. Any Linux.
 *
 * @returns how many bytes were written, which may be fewer than there are
 * @throws SysError
 * @example
 * ```ts
 * using event = eventFd();
 * fileWrite(event, new Uint8Array(BigUint64Array.of(1n).buffer));
 * ```
 */
export function fileWrite(fd: FdLike, data: Uint8Array | string): number {
  const number = fdNumber(fd);
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return node('write', `descriptor ${number}`, () => writeSync(number, bytes));
}

/**
 * Reads a whole file, also one of /proc or /sys, whose size says nothing. Any Linux.
 *
 * @throws SysError; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * const btf = fileReadAll('/sys/kernel/btf/vmlinux');
 * ```
 */
export function fileReadAll(path: string): Uint8Array {
  using file = fileOpen(path, O_RDONLY);
  const chunks: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const chunk = fileRead(file, CHUNK_BYTES);
    if (chunk.byteLength === 0) break;
    chunks.push(chunk);
    total += chunk.byteLength;
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/**
 * Writes a whole file: creates it, or replaces what it holds. Text is written in UTF-8. A file of /proc or /sys takes
 * what is written as one command. Any Linux.
 *
 * @returns how many bytes were written: all of them
 * @throws SysError; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * fileWriteAll('/proc/sys/kernel/bpf_stats_enabled', '1');
 * ```
 */
export function fileWriteAll(path: string, data: Uint8Array | string, mode = 0o644): number {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  using file = fileOpen(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
  for (let at = 0; at < bytes.byteLength; ) at += fileWrite(file, bytes.subarray(at));
  return bytes.byteLength;
}

/** Calls node:fs, again when a signal interrupted it, and throws a SysError for its error. */
function node<T>(syscall: string, subject: string, call: () => T): T {
  for (;;) {
    try {
      return call();
    } catch (error) {
      const { errno } = error as NodeJS.ErrnoException;
      // Not of a system call: an argument that node:fs refuses, such as a path with a NUL.
      if (errno === undefined) throw error;
      if (-errno !== EINTR) throw sysError(syscall, -errno, subject);
    }
  }
}

const EINTR = 4;
