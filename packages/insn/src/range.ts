import { InsnError } from './error.ts';

/** The signed 32-bit immediate field, which 64-bit operations sign-extend. */
export function checkImm(what: string, imm: number): number {
  if (Number.isInteger(imm) && imm >= -0x8000_0000 && imm <= 0x7fff_ffff) return imm;
  throw new InsnError(
    'IMMEDIATE_RANGE',
    `${what}: the immediate ${imm} is not an integer in -2147483648..2147483647; load larger constants with lddw`,
  );
}

/** The signed 16-bit offset field of loads, stores and atomics, in bytes. */
export function checkOff(what: string, off: number): number {
  if (Number.isInteger(off) && off >= -0x8000 && off <= 0x7fff) return off;
  throw new InsnError('OFFSET_RANGE', `${what}: the offset ${off} is not an integer in -32768..32767 bytes`);
}
