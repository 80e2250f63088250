import { getLibc } from './libc.ts';
import { rawSyscall } from './raw-syscall.ts';

/** These are the same on x86-64, arm64, riscv64 and loong64. */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_FIXED = 0x10;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;

/** mmap(2). @returns the address, or -errno @internal */
export function mmapRaw(
  address: number,
  length: number,
  prot: number,
  flags: number,
  fd: number,
  offset: number,
): number {
  return Number(rawSyscall(getLibc().numbers.mmap, address, length, prot, flags, fd, offset));
}

let pageBytes: number | undefined;

/**
 * The bytes of a page: 4096 on x86-64, 4096, 16384 or 65536 elsewhere. See getpagesize(2).
 *
 * @throws UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * const pages = Math.ceil(length / pageSize());
 * ```
 */
export function pageSize(): number {
  pageBytes ??= getLibc().koffi.load(null).func('int getpagesize()')() as number;
  return pageBytes;
}
