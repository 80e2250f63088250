import type { Btf, BtfFunction } from '@bpf/btf';
import { nearest } from '../btf-names.ts';
import type { Selected } from './select.ts';
import { argumentName, resultOf, type Value, valuesOf } from './value.ts';

/** A function that is traced, and what is shown of its calls. */
export interface Traced extends Selected {
  /** Its number, by which programs and records call it. */
  readonly index: number;
  readonly values: readonly Value[];
  /** What it returned: undefined when that is not asked for, null when it returns nothing. */
  readonly result: Value | null | undefined;
}

/**
 * What is shown of each function: all arguments, or those that were asked for. Of several functions, each shows those that it
 * has; what none has is an error with the names that are near.
 */
export function plan(
  btf: Btf,
  selected: readonly Selected[],
  asked: readonly string[] | undefined,
  ret: boolean,
): Traced[] {
  for (const path of asked ?? [])
    requireArgument(
      selected.map(({ func }) => func),
      argumentName(path),
    );
  return selected.map(({ func, named }, index) => ({
    func,
    named,
    index,
    values: valuesOf(btf, func, asked),
    result: ret ? resultOf(btf, func) : undefined,
  }));
}

function requireArgument(functions: readonly BtfFunction[], asked: string): void {
  const names = new Set(functions.flatMap(({ params }) => params.map(({ name }) => name)));
  if (names.has(asked)) return;
  const near = nearest(asked, names);
  const [only, other] = functions;
  const who = other ? 'None of these functions has an' : `${only?.name} has no`;
  const has = other ? '' : `; it has ${[...names].join(', ') || 'none'}`;
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  throw new Error(`${who} argument '${asked}'${has}.${hint}`);
}
