import { InsnError } from './error.ts';
import type {
  AtomicAddInsn,
  Lddw,
  LoadInsn,
  Register,
  Size,
  StoreImmInsn,
  StoreInsn,
  WritableRegister,
} from './insn.ts';
import { checkImm, checkOff } from './range.ts';

/** The number of bytes that an access of this size reads or writes. */
export const sizeBytes: Readonly<Record<Size, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, dw: 8 };

/**
 * Emits `dst = *(size *)(src + off)`, zero-extended to 64 bits (RFC 9669, section 5.2).
 *
 * @throws InsnError `OFFSET_RANGE`
 * @example
 * ```ts
 * ldx('dw', 'r7', 'r6', 8); // r7 = *(u64 *)(r6 + 8)
 * ```
 */
export function ldx(size: Size, dst: WritableRegister, src: Register, off: number): LoadInsn {
  return { kind: 'ldx', size, dst, src, off: checkOff('ldx', off) };
}

/**
 * Emits `*(size *)(dst + off) = src`.
 *
 * @throws InsnError `OFFSET_RANGE`
 */
export function stx(size: Size, dst: Register, src: Register, off: number): StoreInsn {
  return { kind: 'stx', size, dst, src, off: checkOff('stx', off) };
}

/**
 * Emits `*(size *)(dst + off) = imm`. A `dw` store sign-extends the 32-bit immediate; a smaller one stores the
 * bits it has room for, so both -1 and 255 are a byte.
 *
 * @throws InsnError `OFFSET_RANGE`, and `IMMEDIATE_RANGE` for a value that the size cannot hold
 */
export function st(size: Size, dst: Register, off: number, imm: number): StoreImmInsn {
  return {
    kind: 'st',
    size,
    dst,
    off: checkOff('st', off),
    imm: size === 'dw' ? checkImm('st', imm) : wrap(size, imm),
  };
}

/**
 * Emits `lock *(size *)(dst + off) += src`: an atomic addition that returns nothing.
 *
 * @throws InsnError `OFFSET_RANGE`
 */
export function atomicAdd(size: 'w' | 'dw', dst: Register, src: Register, off: number): AtomicAddInsn {
  return { kind: 'atomicAdd', size, dst, src, off: checkOff('atomicAdd', off) };
}

/**
 * Emits `dst = imm ll`: any 64-bit constant, signed or unsigned. Two slots.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a value outside -2^63..2^64-1
 */
export function lddw(dst: WritableRegister, imm: number | bigint): Lddw {
  const exact = typeof imm === 'bigint' || Number.isSafeInteger(imm);
  if (exact && imm >= -(2n ** 63n) && imm < 2n ** 64n) return { kind: 'lddw', dst, imm: BigInt(imm) };
  throw new InsnError(
    'IMMEDIATE_RANGE',
    `lddw: ${imm} is not an integer in -2^63..2^64-1, or is a number above 2^53 (write it as a bigint)`,
  );
}

/**
 * Emits `dst = map_fd[map] ll`: the address of a map, for map helpers. The map is a file descriptor, or a name
 * that `assemble` finds in its `maps`. Two slots (RFC 9669, section 5.4, pseudo source 1).
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a negative file descriptor
 */
export function ldMapFd(dst: WritableRegister, map: string | number): Lddw {
  if (typeof map === 'number' && checkImm('ldMapFd', map) < 0)
    throw new InsnError('IMMEDIATE_RANGE', `ldMapFd: ${map} is not a file descriptor`);
  return { kind: 'lddw', dst, map };
}

/** The two's complement of `imm` in a field of this size, as a signed 32-bit number. */
function wrap(size: Exclude<Size, 'dw'>, imm: number): number {
  const span = 2 ** (8 * sizeBytes[size]);
  if (!Number.isInteger(imm) || imm < -span / 2 || imm >= span)
    throw new InsnError(
      'IMMEDIATE_RANGE',
      `st: ${imm} is not an integer in ${-span / 2}..${span - 1}, what '${size}' holds`,
    );
  return imm | 0;
}
