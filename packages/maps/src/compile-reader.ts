import type { Schema } from '@bpf/btf/data';

type Read<T> = (view: DataView, at: number) => T;

/**
 * What `schema.read` does, in a tenth of the time: a function that writes the object out, for the engine to know its fields
 * beforehand. Where code may not be made from text, `schema.read` itself.
 */
export function compileReader<T>(schema: Schema<T, never>): Read<T> {
  const { shape } = schema;
  // Written out, that name would set the prototype.
  if (shape.kind !== 'struct' || shape.fields.some(({ name }) => name === '__proto__')) return schema.read;
  const reads = shape.fields.map((field) => compileReader(field.schema));
  const fields = shape.fields.map(({ name, offset }, i) => `${JSON.stringify(name)}: read${i}(view, at + ${offset})`);
  const names = reads.map((_, i) => `read${i}`);
  try {
    return new Function(...names, `return (view, at) => ({ ${fields.join(', ')} });`)(...reads) as Read<T>;
  } catch (error) {
    if (error instanceof EvalError) return schema.read;
    throw error;
  }
}
