/**
 * The sum of a per-CPU value: of numbers a number, of bigints a bigint.
 *
 * @example
 * ```ts
 * sum(counts.get(key) ?? []);
 * ```
 */
export function sum<Value extends number | bigint>(values: readonly Value[]): Value {
  // An empty list has no type to go by: 0 is what a comparison or a print takes either way.
  if (values.length === 0) return 0 as Value;
  return values.reduce((total, value) => ((total as number) + (value as number)) as Value);
}

/** The smallest of a per-CPU value; undefined of none. */
export function min<Value extends number | bigint>(values: readonly Value[]): Value | undefined {
  return values.reduce<Value | undefined>(
    (least, value) => (least === undefined || value < least ? value : least),
    undefined,
  );
}

/** The largest of a per-CPU value; undefined of none. */
export function max<Value extends number | bigint>(values: readonly Value[]): Value | undefined {
  return values.reduce<Value | undefined>(
    (most, value) => (most === undefined || value > most ? value : most),
    undefined,
  );
}
