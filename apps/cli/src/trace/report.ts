import { u64 } from '@bpf/btf/data';
import { type ArrayMap, createMap } from '@bpf/maps';
import type { Attached } from './attach.ts';

/** Counts what had no room in a map. */
export function createLost(): ArrayMap<bigint, number | bigint> {
  return createMap({ type: 'array', value: u64, maxEntries: 1, name: 'lost' });
}

const REFUSED_SHOWN = 10;
/** Detaching so many takes seconds. */
const MANY = 10;

/** Says, beside what is printed, that tracing has begun, and what the kernel refused. */
export function sayBegin({ functions, refused }: Attached): void {
  const [only, other] = functions;
  say(`Tracing ${other ? `${functions.length} functions` : only?.func.name}: Ctrl-C ends it.`);
  if (refused.length === 0) return;
  const names = refused.slice(0, REFUSED_SHOWN).join(', ');
  const more = refused.length > REFUSED_SHOWN ? ` and ${refused.length - REFUSED_SHOWN} more` : '';
  say(`The kernel refused ${refused.length} of the functions that match: ${names}${more}.`);
}

/** Says at the end how many calls were seen, and how many are not among them. */
export function sayEnd(calls: number | bigint, lost: bigint, { functions, missed }: Attached): void {
  say(`${callsOf(calls)}.`);
  if (lost > 0n) say(`${lost} more were lost: they came faster than they were read, or a map was full.`);
  if (missed() > 0n)
    say(`${missed()} more were not seen: they came while a program of this command ran, as its own calls do.`);
  if (functions.length > MANY) say(`Detaching ${functions.length} functions …`);
}

export const callsOf = (calls: number | bigint): string => `${calls} ${BigInt(calls) === 1n ? 'call' : 'calls'}`;

const say = (line: string): boolean => process.stderr.write(`${line}\n`);
