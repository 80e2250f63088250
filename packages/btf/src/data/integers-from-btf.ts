import { BtfError } from '../error.ts';
import type { BtfType, BtfTypeOf } from '../types.ts';
import { bitsSchema } from './bits.ts';
import { bigInt, boolean, enumeration, enumNames, smallInt } from './scalar.ts';
import type { Shape } from './schema.ts';

/** An integer; one of an unusual width as its bits. */
export function intSchema(type: BtfTypeOf<'int'>, littleEndian: boolean): unknown {
  const { id, size, bits, bitOffset, encoding } = type;
  const signed = encoding === 'signed';
  if (bits === size * 8 && bitOffset === 0) {
    if (encoding === 'bool' && size === 1) return boolean();
    if (encoding !== 'bool' && (size === 1 || size === 2 || size === 4)) return smallInt(size, signed, littleEndian);
    if (encoding !== 'bool' && size === 8) return bigInt(signed, littleEndian);
  }
  if (bits === 0 || bitOffset + bits > size * 8) corrupt(id, `has ${bits} bits at ${bitOffset} in ${size} bytes`);
  const shape: Shape = encoding === 'bool' ? { kind: 'bool' } : { kind: 'int', signed };
  return bitsSchema({ offset: bitOffset, width: bits, signed, bool: encoding === 'bool' }, size, shape, littleEndian);
}

export function enumSchema(type: BtfTypeOf<'enum' | 'enum64'>, littleEndian: boolean): unknown {
  const { id, size, signed, values } = type;
  if (size === 8) return enumeration(bigInt(signed, littleEndian), values);
  if (size === 1 || size === 2 || size === 4) return enumeration(smallInt(size, signed, littleEndian), values);
  return corrupt(id, `is an enum of ${size} bytes`);
}

/** Whether an array of it is text. The encoding does not say: compilers mark `char` as signed, gcc `unsigned char` as char. */
export function isChar(type: BtfType): boolean {
  return type.kind === 'int' && type.size === 1 && type.name === 'char';
}

/** Where a bitfield's bits are; old compilers wrote them into a type of its own. */
export function bitsOf(
  type: BtfType,
  bitOffset: number,
  bitSize: number,
): { offset: number; width: number } | undefined {
  if (bitSize > 0) return { offset: bitOffset, width: bitSize };
  if (type.kind !== 'int' || (type.bits === type.size * 8 && bitOffset % 8 === 0)) return undefined;
  return { offset: bitOffset + type.bitOffset, width: type.bits };
}

/** A bitfield of an integer or enum; bits count from the start of its struct. */
export function bitfield(
  struct: BtfType,
  name: string,
  type: BtfType,
  { offset, width }: { offset: number; width: number },
  littleEndian: boolean,
): unknown {
  const integer = type.kind === 'int' || type.kind === 'enum' || type.kind === 'enum64';
  if (!integer || width === 0 || width > type.size * 8)
    return corrupt(struct.id, `has a bitfield '${name}' of ${width} bits, which is a ${type.kind}`);
  const signed = type.kind === 'int' ? type.encoding === 'signed' : type.signed;
  const bool = type.kind === 'int' && type.encoding === 'bool';
  const names = type.kind === 'int' ? {} : { names: enumNames(type.values, width, signed) };
  const within = offset % 8;
  const size = Math.ceil((within + width) / 8);
  return bitsSchema({ offset: within, width, signed, bool, ...names }, size, { kind: 'bits' }, littleEndian);
}

/** For a type that no compiler wrote. */
export function corrupt(typeId: number, message: string): never {
  throw new BtfError('CORRUPT', `type ${typeId} ${message}`);
}
