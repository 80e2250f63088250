import { constants } from 'node:os';

/** Kernel-internal, has no name in libc, and bpf(2) returns it all the same. */
const ENOTSUPP = 524;

const names = new Map<number, string>([[ENOTSUPP, 'ENOTSUPP']]);
for (const [name, number] of Object.entries(constants.errno)) if (!names.has(number)) names.set(number, name);

/** The name of an error number: 1 is 'EPERM'. Numbers without a name come out as 'errno N'. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}
