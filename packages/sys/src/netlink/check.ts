import { readFileSync } from 'node:fs';
import { progTypes } from '../uapi.gen.ts';

/** A number for the kernel: never truncated on the way. */
export function integer(what: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new RangeError(`${what} is ${value}; it must be an integer in ${min}..${max}`);
}

/** An interface's number, which the kernel holds in a positive int. */
export function ifindexOf(ifindex: number): number {
  return integer('ifindex', ifindex, 1, 0x7fff_ffff);
}

/** Why the kernel may have refused this descriptor, which it says with a bare EINVAL or EBADF; or undefined. */
export function whyNotProg(fd: number, wanted: keyof typeof progTypes): string | undefined {
  let info: string;
  try {
    info = readFileSync(`/proc/thread-self/fdinfo/${fd}`, 'utf8');
  } catch {
    return `descriptor ${fd} is not open`;
  }
  const type = info.match(/^prog_type:\s*(\d+)/m)?.[1];
  if (type === undefined) return `descriptor ${fd} is no BPF program`;
  if (Number(type) === progTypes[wanted]) return undefined;
  const name = Object.entries(progTypes).find(([, number]) => number === Number(type))?.[0] ?? `type ${type}`;
  return `the program is of type ${name}, and ${wanted} is wanted here`;
}
