import type { Codes } from './codes.ts';
import { type InsnErrorCode, refuse } from './error.ts';

/** Looks up a name. The types refuse most unknown ones; programs may come from JavaScript. */
export function find<Name extends string>(
  slot: number,
  codes: Codes<Name>,
  name: Name,
  what: string,
  code: InsnErrorCode = 'UNKNOWN_NAME',
): number {
  const found = codes.get(name);
  if (found !== undefined) return found;
  return refuse(code, slot, `'${name}'`, `a ${what}; there are: ${[...codes.keys()].join(', ') || 'none'}`);
}
