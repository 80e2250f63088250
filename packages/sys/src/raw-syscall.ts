import { getLibc } from './libc.ts';

/** An argument: an integer, or memory, for its address. */
export type SyscallArgument = number | bigint | { readonly address: number | bigint };

type Six = [number, number, number, number, number, number];

/**
 * Any system call, by its number on this architecture, with up to six arguments: see syscall(2) and syscalls(2). Nothing
 * checks what the kernel is told to read, write or end: memory comes from `withScope`, and a wrong address or length can
 * crash the process.
 *
 * @returns the result, or -errno, as the kernel itself does; a bigint when it is beyond 2^53
 * @throws RangeError for an argument that is no integer in -2^63..2^64-1, or a number beyond 2^53; TypeError for more than
 *   six; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * const GETPID = 39; // on x86-64
 * console.log(rawSyscall(GETPID) === process.pid);
 * ```
 */
export function rawSyscall(number: number, ...args: SyscallArgument[]): number | bigint {
  if (!Number.isInteger(number) || number < 0 || number > 0x7fff_ffff)
    throw new RangeError(`the number of the system call is ${number}; it must be an integer in 0..2147483647`);
  if (args.length > 6) throw new TypeError(`a system call takes at most 6 arguments, and this one has ${args.length}`);
  const words: Six = [0, 0, 0, 0, 0, 0];
  for (const [i, argument] of args.entries()) words[i] = word(i, argument);
  const libc = getLibc();
  const result = libc.syscall6(number, ...words);
  return result === -1 ? -(libc.errno[0] as number) : result;
}

/**
 * This thread's errno(3), which is the reason of a call that failed just before. Valid only in the statement after a call
 * of {@link rawSyscall}: everything that Node does may overwrite it, and a call that succeeds leaves it as it was.
 *
 * @throws UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * if (rawSyscall(3, 9999) < 0) console.log(errnoName(getErrno())); // EBADF
 * ```
 */
export function getErrno(): number {
  return getLibc().errno[0] as number;
}

/** A register's 64 bits, as the signed number that koffi takes. */
function word(index: number, argument: SyscallArgument): number {
  const value = typeof argument === 'object' ? argument.address : argument;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  // koffi takes a bigint where its type says number, but not one beyond 2^63.
  if (typeof value === 'bigint' && value >= -(2n ** 63n) && value < 2n ** 64n)
    return BigInt.asIntN(64, value) as unknown as number;
  throw new RangeError(
    `argument ${index + 1} is ${String(value)}; it must be an integer in -2^63..2^64-1, and beyond 2^53 a bigint`,
  );
}
