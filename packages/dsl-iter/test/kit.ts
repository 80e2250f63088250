import type { Schema } from '@bpf/btf/data';
import { openIterator, type ProgramSpec } from '@bpf/programs';

/** What an iterator wrote, record by record. */
export function rows<T>(
  spec: ProgramSpec,
  schema: Schema<T, never>,
  options: Parameters<typeof openIterator>[1] = {},
): T[] {
  using iterator = openIterator(spec, options);
  return [...iterator.records(schema.size)].map((bytes) => schema.decode(bytes));
}

/** What an iterator printed, line by line. */
export function printed(spec: ProgramSpec, options: Parameters<typeof openIterator>[1] = {}): string[] {
  using iterator = openIterator(spec, options);
  const text = Buffer.from(iterator.read()).toString('latin1');
  return text.replace(/\n$/, '').split('\n');
}

/** What was there before and after `during`: the rest came and went by itself. */
export function lasting<T, R>(list: () => Iterable<T>, during: () => R): { there: T[]; result: R } {
  const before = [...list()];
  const result = during();
  const after = new Set(list());
  return { there: before.filter((one) => after.has(one)), result };
}

/** Ids of a kind of BPF object, from its NEXT_ID command. */
export function* ids(next: (id: number) => number | undefined): Generator<number> {
  for (let id = next(0); id !== undefined; id = next(id)) yield id;
}
