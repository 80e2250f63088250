import { misfit, type Path, show } from './path.ts';
import { invalidSchema, makeSchema, type Schema, type Shape, type ShapeValue } from './schema.ts';

/** An integer of 1, 2 or 4 bytes: a number. */
export function smallInt(size: 1 | 2 | 4, signed: boolean, littleEndian: boolean): Schema<number> {
  const [min, max] = signed ? [-(2 ** (size * 8 - 1)), 2 ** (size * 8 - 1) - 1] : [0, 2 ** (size * 8) - 1];
  return makeSchema(
    size,
    size,
    { kind: 'int', signed },
    smallReader(size, signed, littleEndian),
    // Of a signed value the setters keep the same bits.
    size === 1
      ? (view, at, value, path) => view.setUint8(at, smallInteger(value, min, max, path))
      : size === 2
        ? (view, at, value, path) => view.setUint16(at, smallInteger(value, min, max, path), littleEndian)
        : (view, at, value, path) => view.setUint32(at, smallInteger(value, min, max, path), littleEndian),
  );
}

function smallReader(size: 1 | 2 | 4, signed: boolean, le: boolean): (view: DataView, at: number) => number {
  if (size === 1) return signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
  if (size === 2) return signed ? (view, at) => view.getInt16(at, le) : (view, at) => view.getUint16(at, le);
  return signed ? (view, at) => view.getInt32(at, le) : (view, at) => view.getUint32(at, le);
}

function smallInteger(value: unknown, min: number, max: number, path: Path | undefined): number {
  if (typeof value === 'number' && value >= min && value <= max && Number.isInteger(value)) return value;
  if (typeof value === 'bigint' && value >= min && value <= max) return Number(value);
  return misfit(path, `${show(value)} is not an integer in ${min}..${max}`);
}

/** An integer of 8 bytes: a bigint. Encoding takes exact numbers too. */
export function bigInt(signed: boolean, littleEndian: boolean, shape?: Shape): Schema<bigint> {
  const checked = wideInteger(64, signed);
  return makeSchema(
    8,
    8,
    shape ?? { kind: 'int', signed },
    signed ? (view, at) => view.getBigInt64(at, littleEndian) : (view, at) => view.getBigUint64(at, littleEndian),
    // Of a signed value the setter keeps the same bits.
    (view, at, value, path) => view.setBigUint64(at, checked(value, path), littleEndian),
  );
}

/** The checked value of so many bits, as a bigint. */
export function wideInteger(bits: number, signed: boolean): (value: unknown, path: Path | undefined) => bigint {
  const min = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const max = min + (1n << BigInt(bits)) - 1n;
  return (value, path) => {
    const exact = typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
    if (typeof exact === 'bigint' && exact >= min && exact <= max) return exact;
    return misfit(path, `${show(value)} is not an integer in ${min}..${max}`);
  };
}

/** A byte: anything but 0 is true. */
export function boolean(): Schema<boolean> {
  return makeSchema(
    1,
    1,
    { kind: 'bool' },
    (view, at) => view.getUint8(at) !== 0,
    (view, at, value, path) => view.setUint8(at, bit(value, path)),
  );
}

export function bit(value: unknown, path: Path | undefined): 0 | 1 {
  if (typeof value !== 'boolean') misfit(path, `${show(value)} is not true or false`);
  return value ? 1 : 0;
}

/** A float of 4 or 8 bytes. A number is rounded to the nearest that there is. */
export function float(size: 4 | 8, littleEndian: boolean): Schema<number> {
  const number = (value: unknown, path: Path | undefined): number =>
    typeof value === 'number' ? value : misfit(path, `${show(value)} is not a number`);
  if (size === 8)
    return makeSchema(
      8,
      8,
      { kind: 'float' },
      (view, at) => view.getFloat64(at, littleEndian),
      (view, at, value, path) => view.setFloat64(at, number(value, path), littleEndian),
    );
  return makeSchema(
    4,
    4,
    { kind: 'float' },
    (view, at) => view.getFloat32(at, littleEndian),
    (view, at, value, path) => {
      const rounded = Math.fround(number(value, path));
      if (!Number.isFinite(rounded) && Number.isFinite(value)) misfit(path, `${value} is too large for 4 bytes`);
      view.setFloat32(at, rounded, littleEndian);
    },
  );
}

/** Names for integers: those that are known decode to their names, others stay as they are. */
export interface EnumNames {
  name(value: number | bigint): string | undefined;
  value(name: string): number | bigint | undefined;
}

export function enumNames(values: readonly ShapeValue[], bits: number, signed: boolean): EnumNames {
  const names = new Map<number | bigint, string>();
  const numbers = new Map<string, number | bigint>();
  for (const { name, value } of values) {
    // Before kind_flag came for enums, a signed value was written as if it were unsigned.
    const cut = signed ? BigInt.asIntN(bits, BigInt(value)) : BigInt.asUintN(bits, BigInt(value));
    const kept = bits > 32 ? cut : Number(cut);
    if (!names.has(kept)) names.set(kept, name);
    if (!numbers.has(name)) numbers.set(name, kept);
  }
  return { name: (value) => names.get(value), value: (name) => numbers.get(name) };
}

/** An enum over an integer. */
export function enumeration<Integer extends number | bigint>(
  integer: Schema<Integer>,
  values: readonly ShapeValue[],
): Schema<string | Integer> {
  const { shape, size, align } = integer;
  if (shape.kind !== 'int') return invalidSchema(`an enum is an integer, not a ${shape.kind}`);
  const names = enumNames(values, size * 8, shape.signed);
  return makeSchema<string | Integer>(
    size,
    align,
    { kind: 'enum', signed: shape.signed, values },
    (view, at) => {
      const value = integer.read(view, at);
      return names.name(value) ?? value;
    },
    (view, at, value, path) => integer.write(view, at, named(names, value, path) as Integer, path),
  );
}

/** The number behind a name; what is no name is left to be checked as a number. */
export function named(names: EnumNames, value: unknown, path: Path | undefined): unknown {
  if (typeof value !== 'string') return value;
  return names.value(value) ?? misfit(path, `${show(value)} is not a name of this enum`);
}
