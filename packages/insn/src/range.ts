import { InsnError } from './error.ts';
import type { Register } from './insn.ts';

/** The signed 32-bit immediate field, which 64-bit operations sign-extend. */
export function checkImm(what: string, imm: number): number {
  if (imm === (imm | 0)) return imm;
  throw new InsnError(
    'IMMEDIATE_RANGE',
    `${what}: the immediate ${imm} is not an integer in -2147483648..2147483647; load larger constants with lddw`,
  );
}

/** The immediate of a 32-bit operation: 32 bits, whether they are written signed or unsigned. */
export function checkImm32(what: string, imm: number): number {
  if (imm === (imm | 0)) return imm;
  if (imm === imm >>> 0) return imm | 0;
  throw new InsnError('IMMEDIATE_RANGE', `${what}: the immediate ${imm} is not an integer in -2147483648..4294967295`);
}

/** An immediate field that holds a number from 0 on: an id, a descriptor, an index. */
export function checkUnsigned(what: string, value: number): number {
  if (value === (value | 0) && value >= 0) return value;
  throw new InsnError('IMMEDIATE_RANGE', `${what}: ${value} is not an integer in 0..2147483647`);
}

/** Whether a number is an integer that the offset field holds. */
export function fits16(value: number): boolean {
  return value === (value << 16) >> 16;
}

/** The signed 16-bit offset field of loads, stores and atomics, in bytes. */
export function checkOff(what: string, off: number): number {
  if (fits16(off)) return off;
  throw new InsnError('OFFSET_RANGE', `${what}: the offset ${off} is not an integer in -32768..32767 bytes`);
}

/** The second operand of a 64-bit operation. */
export function operand64(what: string, src: Register | number): Register | number {
  return typeof src === 'number' ? checkImm(what, src) : src;
}

/** The second operand of a 32-bit operation. */
export function operand32(what: string, src: Register | number): Register | number {
  return typeof src === 'number' ? checkImm32(what, src) : src;
}
