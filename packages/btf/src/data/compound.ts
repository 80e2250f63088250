import { misfit, type Path, show } from './path.ts';
import type { AnySchema, Schema, ShapeField } from './schema.ts';
import { makeSchema } from './schema.ts';

/** A value by field. */
type Fields = Record<string, unknown>;

/** A schema as those that are made of others see it. */
export type Loose = Schema<unknown, unknown>;

/** An array of any length. */
export function arrayOf(element: AnySchema, length: number): Loose {
  const { size, read, write } = element as Loose;
  return makeSchema<unknown, unknown>(
    size * length,
    element.align,
    { kind: 'array', element, length },
    (view, at) => {
      const values: unknown[] = [];
      for (let i = 0; i < length; i++) values.push(read(view, at + i * size));
      return values;
    },
    (view, at, values, path) => {
      if (!Array.isArray(values)) misfit(path, `${show(values)} is not an array`);
      if (values.length !== length) misfit(path, `${values.length} elements were given; it has ${length}`);
      const here: Path = { parent: path, step: 0 };
      for (let i = 0; i < length; i++) {
        here.step = i;
        write(view, at + i * size, values[i], here);
      }
    },
  );
}

/** What a struct or union consists of: fields, and anonymous structs and unions whose fields are its own. */
export interface Members {
  readonly kind: 'struct' | 'union';
  readonly parts: readonly (Field | Members)[];
}

/** A field; its offset counts from the start of the whole. */
export interface Field extends ShapeField {
  readonly kind: 'field';
}

/**
 * A struct or union. Of a union, every member is decoded, as views of the same bytes, and exactly one is to be given for
 * encoding: of the fields of an anonymous union too, where an anonymous struct in it is one member.
 */
export function compound(members: Members, size: number, align: number): Loose {
  const fields = fieldsOf(members);
  const names = new Set(fields.map(({ name }) => name));
  const write = writerOf(members);
  const choices = hasUnion(members);
  return makeSchema<unknown, unknown>(
    size,
    align,
    { kind: members.kind, fields },
    readerOf(fields),
    (view, at, value, path) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        misfit(path, `${show(value)} is not an object`);
      const given = Object.keys(value);
      // Of a struct without unions every field is to be given: with as many, an unknown one means that one is missing.
      if (given.length !== names.size || choices)
        for (const name of given)
          if (!names.has(name)) misfit(path, `it has no field '${name}': it has ${[...names].join(', ') || 'none'}`);
      write(view, at, value as Fields, { parent: path, step: '' });
    },
  );
}

function fieldsOf({ parts }: Members): Field[] {
  return parts.flatMap((part) => (part.kind === 'field' ? [part] : fieldsOf(part)));
}

function hasUnion({ kind, parts }: Members): boolean {
  return kind === 'union' || parts.some((part) => part.kind !== 'field' && hasUnion(part));
}

function readerOf(fields: readonly Field[]): (view: DataView, at: number) => Fields {
  const steps = fields.map(({ name, offset, schema }) => ({ name, offset, read: schema.read }));
  // Assigned, it would set the prototype.
  const safe = steps.every(({ name }) => name !== '__proto__');
  return (view, at) => {
    const value: Fields = {};
    for (const { name, offset, read } of steps) {
      if (safe) value[name] = read(view, at + offset);
      else {
        const field = { value: read(view, at + offset), writable: true, enumerable: true, configurable: true };
        Object.defineProperty(value, name, field);
      }
    }
    return value;
  };
}

/** Writes the fields; the path's step is set for each. */
type FieldsWriter = (view: DataView, at: number, value: Fields, here: Path) => void;

function writerOf(members: Members): FieldsWriter {
  const writers = members.parts.map((part) => (part.kind === 'field' ? fieldWriter(part) : writerOf(part)));
  if (members.kind === 'struct')
    return (view, at, value, here) => {
      for (const write of writers) write(view, at, value, here);
    };
  if (writers.length === 0) return () => {};
  const names = members.parts.map((part) => (part.kind === 'field' ? [part] : fieldsOf(part)).map(({ name }) => name));
  return (view, at, value, here) => {
    let chosen: FieldsWriter | undefined;
    for (let i = 0; i < writers.length; i++) {
      if (!names[i]?.some((name) => given(value, name))) continue;
      if (chosen) misfit(here.parent, `${oneOf(names)} is to be given, not several: they are the same bytes`);
      chosen = writers[i];
    }
    if (!chosen) misfit(here.parent, `${oneOf(names)} is missing`);
    chosen(view, at, value, here);
  };
}

function fieldWriter({ name, offset, schema }: Field): FieldsWriter {
  const { write } = schema as Loose;
  // Every object has a `toString` that is not its own.
  const everywhere = name in {};
  return (view, at, value, here) => {
    here.step = name;
    const field = value[name];
    if (field === undefined || (everywhere && !Object.hasOwn(value, name))) misfit(here, 'it is missing');
    write(view, at + offset, field, here);
  };
}

/** Fields that are undefined count as not given. */
function given(value: Fields, name: string): boolean {
  return Object.hasOwn(value, name) && value[name] !== undefined;
}

function oneOf(members: readonly (readonly string[])[]): string {
  return `exactly one of ${members.map((names) => names.join('+')).join(', ')}`;
}
