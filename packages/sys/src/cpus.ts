import { readFileSync } from 'node:fs';
import { UnavailableError } from './error.ts';
import { requireLinux } from './machine.ts';

const POSSIBLE = '/sys/devices/system/cpu/possible';
let possible: number | undefined;

/**
 * How many CPUs the kernel can ever have, online or not: so many values has an element of a per-CPU map, in the order of
 * their numbers. As `libbpf_num_possible_cpus`, read once. Any Linux.
 *
 * @throws UnavailableError when /sys does not tell
 * @example
 * ```ts
 * const bytes = possibleCpus() * Math.ceil(valueSize / 8) * 8;
 * ```
 */
export function possibleCpus(): number {
  possible ??= parseCpuList(readPossible()).length;
  return possible;
}

/**
 * The numbers of a list of CPUs, as /sys and /proc write it: '0-3,8' is 0, 1, 2, 3, 8.
 *
 * @throws RangeError when it is no such list, or holds no CPU
 * @example
 * ```ts
 * const online = parseCpuList(new TextDecoder().decode(fileReadAll('/sys/devices/system/cpu/online')));
 * ```
 */
export function parseCpuList(list: string): number[] {
  const cpus: number[] = [];
  for (const part of list.trim().split(',')) {
    const [, first, last = first] = part.match(/^(\d{1,5})(?:-(\d{1,5}))?$/) ?? [];
    const next = (cpus.at(-1) ?? -1) + 1;
    if (first === undefined || Number(first) < next || Number(last) < Number(first))
      throw new RangeError(`'${list.trim()}' is not a list of CPUs, which looks like 0-3,8 and goes up`);
    for (let cpu = Number(first); cpu <= Number(last); cpu++) cpus.push(cpu);
  }
  return cpus;
}

function readPossible(): string {
  requireLinux();
  try {
    return readFileSync(POSSIBLE, 'utf8');
  } catch (cause) {
    throw new UnavailableError(
      `${POSSIBLE} cannot be read, and nothing else tells how many values a per-CPU map has: mount sysfs at /sys.`,
      { cause },
    );
  }
}
