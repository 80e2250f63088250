import { arrayOf, compound, type Field, type Members } from './compound.ts';
import { bigInt, boolean, enumeration, float, smallInt } from './scalar.ts';
import { type AnySchema, type Infer, type InferInput, invalidSchema, type Schema } from './schema.ts';
import { lengthOf } from './text.ts';

// Little-endian, as every machine that this runs BPF on.
export const u8: Schema<number> = smallInt(1, false, true);
export const u16: Schema<number> = smallInt(2, false, true);
export const u32: Schema<number> = smallInt(4, false, true);
export const u64: Schema<bigint> = bigInt(false, true);
export const s8: Schema<number> = smallInt(1, true, true);
export const s16: Schema<number> = smallInt(2, true, true);
export const s32: Schema<number> = smallInt(4, true, true);
export const s64: Schema<bigint> = bigInt(true, true);
export const bool: Schema<boolean> = boolean();
export const f32: Schema<number> = float(4, true);
export const f64: Schema<number> = float(8, true);

/**
 * `element[length]`.
 *
 * @throws BtfError `INVALID_TYPE` for a length that is not a whole number from 1
 */
export function array<Element extends AnySchema>(
  element: Element,
  length: number,
): Schema<Infer<Element>[], readonly InferInput<Element>[]> {
  if (element.size * lengthOf(length) > 0x7fff_ffff) invalidSchema(`an array of ${length} elements is too large`);
  return arrayOf(element, length) as Schema<Infer<Element>[], readonly InferInput<Element>[]>;
}

/** The fields of a struct or union, in C's order. */
export type SchemaFields = Readonly<Record<string, AnySchema>>;

/** A struct's or union's schema, which says where its fields are. */
export interface StructSchema<Fields extends SchemaFields, Input = StructInput<Fields>>
  extends Schema<StructValue<Fields>, Input> {
  /** Bytes from its start, by field. */
  readonly offsets: { readonly [Name in keyof Fields]: number };
}

export type StructValue<Fields extends SchemaFields> = { -readonly [Name in keyof Fields]: Infer<Fields[Name]> };
export type StructInput<Fields extends SchemaFields> = { readonly [Name in keyof Fields]: InferInput<Fields[Name]> };
/** Exactly one of the fields. */
export type UnionInput<Fields extends SchemaFields> = {
  [Name in keyof Fields]: { readonly [One in Name]: InferInput<Fields[One]> } & {
    readonly [Other in Exclude<keyof Fields, Name>]?: undefined;
  };
}[keyof Fields];

/**
 * A struct, laid out as C does on 64-bit machines: each field aligned to its own size, the whole to its largest.
 * Padding is skipped in decoding and zero in encoding, as map keys want it.
 *
 * @param options.packed without padding, as `__attribute__((packed))`
 * @throws BtfError `INVALID_TYPE` for a field whose name is not one in C
 * @example
 * ```ts
 * const Event = struct({ pid: u32, at: u64, comm: char(16), addr: struct({ port: u16, ip: array(u8, 4) }) });
 * type Event = Infer<typeof Event>;
 * Event.offsets.at;                       // 8: there are 4 bytes of padding after pid
 * const { pid, comm } = Event.decode(bytes); // number, string
 * ```
 */
export function struct<const Fields extends SchemaFields>(
  fields: Fields,
  options: { readonly packed?: boolean } = {},
): StructSchema<Fields> {
  return layOut('struct', fields, options.packed ?? false) as StructSchema<Fields>;
}

/**
 * A union: all of its fields at its start. Decoding gives every field, as views of the same bytes; encoding takes exactly
 * one, and the bytes that it does not fill are zero.
 *
 * @throws BtfError `INVALID_TYPE` for a field whose name is not one in C
 */
export function union<const Fields extends SchemaFields>(fields: Fields): StructSchema<Fields, UnionInput<Fields>> {
  return layOut('union', fields, false) as StructSchema<Fields, UnionInput<Fields>>;
}

function layOut(kind: Members['kind'], schemas: SchemaFields, packed: boolean): unknown {
  let end = 0;
  let align = 1;
  const parts: Field[] = [];
  for (const [name, schema] of Object.entries(schemas)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) invalidSchema(`'${name}' is not a name in C`);
    const own = packed ? 1 : schema.align;
    const offset = kind === 'union' ? 0 : roundUp(end, own);
    parts.push({ kind: 'field', name, offset, schema });
    end = Math.max(end, offset + schema.size);
    align = Math.max(align, own);
  }
  const size = roundUp(end, align);
  if (size > 0x7fff_ffff) invalidSchema(`a ${kind} of ${size} bytes is too large`);
  const offsets = Object.fromEntries(parts.map(({ name, offset }) => [name, offset]));
  return { ...compound({ kind, parts }, size, align), offsets };
}

function roundUp(offset: number, align: number): number {
  return Math.ceil(offset / align) * align;
}

/**
 * An enum, given its values: known numbers decode to their names, unknown ones stay numbers; encoding takes either.
 *
 * @param of the integer that holds it: as in C a u32, unless told
 * @throws BtfError `INVALID_TYPE` for a value that the integer cannot hold
 * @example
 * ```ts
 * const Op = enumOf({ OPEN: 1, CLOSE: 2 }, u8);
 * Op.decode(Uint8Array.of(2)); // 'CLOSE'
 * ```
 */
export function enumOf<const Values extends Readonly<Record<string, number>>>(
  values: Values,
  of: Schema<number> = u32,
): Schema<(keyof Values & string) | number> {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  for (const { name, value } of list) {
    const read = of.shape.kind === 'int' && Number.isInteger(value) && of.size <= 4 ? kept(value, of) : undefined;
    if (read !== value) invalidSchema(`${name}, ${value}, does not fit in the ${of.size} bytes of this enum`);
  }
  return enumeration(of, list) as Schema<(keyof Values & string) | number>;
}

/** A value after it was cut to what the integer holds. */
function kept(value: number, { size, shape }: Schema<number>): number {
  const signed = shape.kind === 'int' && shape.signed;
  return Number(signed ? BigInt.asIntN(size * 8, BigInt(value)) : BigInt.asUintN(size * 8, BigInt(value)));
}
