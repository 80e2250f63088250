import { parseBtf } from '@bpf/btf';
import { type AnySchema, schemaOf } from '@bpf/btf/data';
import type { BpfMap } from '@bpf/maps';
import { btfGetBytes, btfGetFdById } from '@bpf/sys';

/** What was typed for a key or value of this type: JSON, or a word, which is a string. Integers are exact. */
export function typedInput(map: BpfMap, typeId: number, text: string): unknown {
  using fd = btfGetFdById(map.info.btfId);
  return exact(schemaOf(parseBtf(btfGetBytes(fd)), typeId), parseExactly(text));
}

/** JSON, in which integers that may be above 2^53 become strings; or a word. */
export function parseExactly(text: string): unknown {
  // Strings are matched to be left alone.
  const quoted = text.replace(/"(?:\\.|[^"\\])*"|-?\d[\d.eE+-]*/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token,
  );
  try {
    return JSON.parse(quoted);
  } catch {
    return text;
  }
}

const INTEGERS = ['int', 'enum', 'bits', 'ptr'];

/** A value with integers where the type has them and the value digits, as `bpf map dump --json` prints what is large. */
export function exact(schema: AnySchema, value: unknown): unknown {
  const { shape } = schema;
  // Without a type that is an array, it is a value for each CPU.
  if (Array.isArray(value))
    return value.map((element) => exact(shape.kind === 'array' ? shape.element : schema, element));
  if (typeof value === 'string' && /^-?\d+$/.test(value)) {
    if (shape.kind === 'float') return Number(value);
    return INTEGERS.includes(shape.kind) ? BigInt(value) : value;
  }
  if ((shape.kind !== 'struct' && shape.kind !== 'union') || typeof value !== 'object' || value === null) return value;
  const schemas = new Map(shape.fields.map((field) => [field.name, field.schema]));
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => {
      const schema = schemas.get(name);
      return [name, schema ? exact(schema, field) : field];
    }),
  );
}
