import { bit, type EnumNames, named, wideInteger } from './scalar.ts';
import { makeSchema, type Schema, type Shape } from './schema.ts';

/** Which bits of the bytes that it lies in a value is. */
export interface Bits {
  /** From the start: from the lowest bit of a little-endian machine, from the highest of a big-endian one. */
  readonly offset: number;
  readonly width: number;
  readonly signed: boolean;
  readonly bool: boolean;
  readonly names?: EnumNames;
}

/** Widths up to this one are numbers. */
const NUMBER_BITS = 32;

/**
 * A bitfield, or an integer of an unusual width. Up to 32 bits are a number, more are a bigint, a boolean is one of any
 * width. Encoding sets its own bits and leaves those of its neighbours.
 */
export function bitsSchema(bits: Bits, size: number, shape: Shape, littleEndian: boolean): Schema<unknown> {
  const { width, signed, names } = bits;
  const bytes = Math.ceil((bits.offset + width) / 8);
  const shift = BigInt(littleEndian ? bits.offset : bytes * 8 - bits.offset - width);
  const checked = wideInteger(width, signed);
  const place = (at: number, i: number): number => at + (littleEndian ? bytes - 1 - i : i);
  return makeSchema<unknown>(
    size,
    1,
    shape,
    (view, at) => {
      let all = 0n;
      for (let i = 0; i < bytes; i++) all = (all << 8n) | BigInt(view.getUint8(place(at, i)));
      const value = signed ? BigInt.asIntN(width, all >> shift) : BigInt.asUintN(width, all >> shift);
      if (bits.bool) return value !== 0n;
      const kept = width > NUMBER_BITS ? value : Number(value);
      return names?.name(kept) ?? kept;
    },
    (view, at, given, path) => {
      const value = bits.bool ? BigInt(bit(given, path)) : checked(names ? named(names, given, path) : given, path);
      let all = BigInt.asUintN(width, value) << shift;
      for (let i = bytes - 1; i >= 0; i--) {
        const here = place(at, i);
        view.setUint8(here, view.getUint8(here) | Number(all & 0xffn));
        all >>= 8n;
      }
    },
  );
}
