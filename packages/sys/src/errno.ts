import { constants } from 'node:os';

/** Kernel-internal, has no name in libc, and bpf(2) returns it all the same. */
const ENOTSUPP = 524;

/** Node has two names for it; this is the kernel's. */
const EOPNOTSUPP = 95;

const names = new Map<number, string>([
  [ENOTSUPP, 'ENOTSUPP'],
  [EOPNOTSUPP, 'EOPNOTSUPP'],
]);
for (const [name, number] of Object.entries(constants.errno)) if (!names.has(number)) names.set(number, name);

/** The name of an error number: 1 is 'EPERM'. Numbers without a name come out as 'errno N'. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

/**
 * The number of an error's name: 'EPERM' is 1.
 *
 * @throws RangeError for a name that this system does not have
 * @example
 * ```ts
 * rawSyscall(3, 9999) === -errnoNumber('EBADF'); // close(2) on x86-64
 * ```
 */
export function errnoNumber(name: string): number {
  if (name === 'ENOTSUPP') return ENOTSUPP;
  const number = (constants.errno as Readonly<Record<string, number>>)[name];
  if (number !== undefined) return number;
  throw new RangeError(`'${name}' is not the name of an error here; one is 'EPERM', see errno(3)`);
}
