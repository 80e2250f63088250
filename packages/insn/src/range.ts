import { MAX_32, MIN_32 } from './codes.ts';
import { type InsnErrorCode, refuse } from './error.ts';
import type { Register, Size } from './insn.ts';

/** Throws unless a number is an integer within limits. `what` is a builder's name, or the slot of an instruction. */
export function checkRange(
  what: string | number,
  value: number,
  min: number,
  max: number,
  hint = '',
  code: InsnErrorCode = 'IMMEDIATE_RANGE',
): number {
  if (value >= min && value <= max && Number.isInteger(value)) return value;
  return refuse(code, what, value, `an integer in ${min}..${max}${hint}`);
}

/** The signed 32-bit immediate field, which 64-bit operations sign-extend. */
function checkImm(what: string, imm: number): number {
  return checkRange(what, imm, MIN_32, MAX_32, '; use lddw');
}

/** The immediate of a 32-bit operation: 32 bits, whether they are written signed or unsigned. */
export function checkImm32(what: string, imm: number): number {
  return checkRange(what, imm, MIN_32, 0xffff_ffff) | 0;
}

/** An immediate field that holds a number from 0 on: an id, a descriptor, an index. */
export function checkUnsigned(what: string, value: number): number {
  return checkRange(what, value, 0, MAX_32);
}

/** The signed 16-bit offset field of loads, stores and atomics, in bytes. */
export function checkOff(what: string, off: number): number {
  return checkRange(what, off, -0x8000, 0x7fff, ' bytes', 'OFFSET_RANGE');
}

/** The immediates that a store of each size can hold, signed or unsigned; that of `dw` is sign-extended. */
export const storeLimits: Readonly<Record<Size, { readonly min: number; readonly max: number }>> = {
  b: { min: -0x80, max: 0xff },
  h: { min: -0x8000, max: 0xffff },
  w: { min: MIN_32, max: 0xffff_ffff },
  dw: { min: MIN_32, max: MAX_32 },
};

/** The second operand of a 64-bit operation. */
export function operand64(what: string, src: Register | number): Register | number {
  return typeof src === 'number' ? checkImm(what, src) : src;
}

/** The second operand of a 32-bit operation. */
export function operand32(what: string, src: Register | number): Register | number {
  return typeof src === 'number' ? checkImm32(what, src) : src;
}
