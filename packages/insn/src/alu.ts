import type {
  AddrSpaceCastInsn,
  AluInsn,
  AluOp,
  EndInsn,
  MovsxInsn,
  NegInsn,
  Register,
  WritableRegister,
} from './insn.ts';
import { checkRange, operand32, operand64 } from './range.ts';
import { made } from './source.ts';

/**
 * An arithmetic instruction on a register and a register or an immediate (RFC 9669, section 4.1). The 64-bit forms
 * sign-extend the 32-bit immediate; the 32-bit forms (`add32` and so on) work on the lower halves, zero the upper half of
 * the result, and take any 32 bits, so that -1 and 0xffffffff are the same.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for an immediate that does not fit
 */
export type AluBuilder = (dst: WritableRegister, src: Register | number) => AluInsn;

const alu64 =
  (op: AluOp): AluBuilder =>
  (dst, src) =>
    made({ kind: 'alu', op, bits: 64, dst, src: operand64(op, src) });

const alu32 =
  (op: AluOp): AluBuilder =>
  (dst, src) =>
    made({ kind: 'alu', op, bits: 32, dst, src: operand32(op, src) });

/**
 * Emits `dst = src`.
 *
 * @example
 * ```ts
 * mov('r6', 'r1'); // save the context
 * mov('r0', 0);    // return value
 * ```
 */
export const mov: AluBuilder = /* @__PURE__ */ alu64('mov');
/** Emits `dst += src`. */
export const add: AluBuilder = /* @__PURE__ */ alu64('add');
/** Emits `dst -= src`. */
export const sub: AluBuilder = /* @__PURE__ */ alu64('sub');
/** Emits `dst *= src`. */
export const mul: AluBuilder = /* @__PURE__ */ alu64('mul');
/** Emits `dst /= src`, unsigned; dividing by zero gives 0. The verifier refuses an immediate 0. */
export const div: AluBuilder = /* @__PURE__ */ alu64('div');
/** Emits `dst s/= src`, signed, towards zero; dividing by zero gives 0. Linux 6.6. */
export const sdiv: AluBuilder = /* @__PURE__ */ alu64('sdiv');
/** Emits `dst %= src`, unsigned; modulo zero leaves `dst`. The verifier refuses an immediate 0. */
export const mod: AluBuilder = /* @__PURE__ */ alu64('mod');
/** Emits `dst s%= src`, with the sign of `dst`; modulo zero leaves `dst`. Linux 6.6. */
export const smod: AluBuilder = /* @__PURE__ */ alu64('smod');
/** Emits `dst |= src`. */
export const or: AluBuilder = /* @__PURE__ */ alu64('or');
/** Emits `dst &= src`. A mask such as 0xffffffff does not fit the immediate: use `mov32(dst, dst)`, or `lddw`. */
export const and: AluBuilder = /* @__PURE__ */ alu64('and');
/** Emits `dst ^= src`. */
export const xor: AluBuilder = /* @__PURE__ */ alu64('xor');
/** Emits `dst <<= src`. */
export const lsh: AluBuilder = /* @__PURE__ */ alu64('lsh');
/** Emits `dst >>= src`, filling with zeros. */
export const rsh: AluBuilder = /* @__PURE__ */ alu64('rsh');
/** Emits `dst s>>= src`, filling with the sign. */
export const arsh: AluBuilder = /* @__PURE__ */ alu64('arsh');

/** Emits `w_dst = src`: moves the lower half, and zeroes the upper. */
export const mov32: AluBuilder = /* @__PURE__ */ alu32('mov');
/** Emits `w_dst += src`. */
export const add32: AluBuilder = /* @__PURE__ */ alu32('add');
/** Emits `w_dst -= src`. */
export const sub32: AluBuilder = /* @__PURE__ */ alu32('sub');
/** Emits `w_dst *= src`. */
export const mul32: AluBuilder = /* @__PURE__ */ alu32('mul');
/** Emits `w_dst /= src`, unsigned. */
export const div32: AluBuilder = /* @__PURE__ */ alu32('div');
/** Emits `w_dst s/= src`, signed. Linux 6.6. */
export const sdiv32: AluBuilder = /* @__PURE__ */ alu32('sdiv');
/** Emits `w_dst %= src`, unsigned. */
export const mod32: AluBuilder = /* @__PURE__ */ alu32('mod');
/** Emits `w_dst s%= src`, signed. Linux 6.6. */
export const smod32: AluBuilder = /* @__PURE__ */ alu32('smod');
/** Emits `w_dst |= src`. */
export const or32: AluBuilder = /* @__PURE__ */ alu32('or');
/** Emits `w_dst &= src`. */
export const and32: AluBuilder = /* @__PURE__ */ alu32('and');
/** Emits `w_dst ^= src`. */
export const xor32: AluBuilder = /* @__PURE__ */ alu32('xor');
/** Emits `w_dst <<= src`. */
export const lsh32: AluBuilder = /* @__PURE__ */ alu32('lsh');
/** Emits `w_dst >>= src`. */
export const rsh32: AluBuilder = /* @__PURE__ */ alu32('rsh');
/** Emits `w_dst s>>= src`. */
export const arsh32: AluBuilder = /* @__PURE__ */ alu32('arsh');

/** Emits `dst = -dst`. */
export function neg(dst: WritableRegister): NegInsn {
  return made({ kind: 'neg', bits: 64, dst });
}

/** Emits `w_dst = -w_dst`. */
export function neg32(dst: WritableRegister): NegInsn {
  return made({ kind: 'neg', bits: 32, dst });
}

/** Emits `dst = (s8)src`, `(s16)src` or `(s32)src`: sign-extends to 64 bits. Linux 6.6. */
export function movsx(dst: WritableRegister, src: Register, from: 8 | 16 | 32): MovsxInsn {
  return made({ kind: 'movsx', bits: 64, from, dst, src });
}

/** Emits `w_dst = (s8)w_src` or `(s16)w_src`: sign-extends to 32 bits. Linux 6.6. */
export function movsx32(dst: WritableRegister, src: Register, from: 8 | 16): MovsxInsn {
  return made({ kind: 'movsx', bits: 32, from, dst, src });
}

/**
 * Emits `dst = be16 dst` (or 32, 64): the lower bits of dst in big-endian order, the rest zero. On a little-endian machine
 * it swaps, so it is both htons and ntohs (RFC 9669, section 4.2).
 */
export function be(dst: WritableRegister, width: 16 | 32 | 64): EndInsn {
  return made({ kind: 'end', op: 'be', width, dst });
}

/** Emits `dst = le16 dst` (or 32, 64): the lower bits of dst in little-endian order, the rest zero. */
export function le(dst: WritableRegister, width: 16 | 32 | 64): EndInsn {
  return made({ kind: 'end', op: 'le', width, dst });
}

/** Emits `dst = bswap16 dst` (or 32, 64): swaps whatever the machine's order, the rest zero. Linux 6.6. */
export function bswap(dst: WritableRegister, width: 16 | 32 | 64): EndInsn {
  return made({ kind: 'end', op: 'bswap', width, dst });
}

/**
 * Emits `dst = addr_space_cast(src, to, from)`: an arena pointer from one address space to another, 0 being the kernel's
 * and 1 the arena's. Linux 6.9.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for `to` outside 0..32767, or `from` outside 0..65535
 */
export function addrSpaceCast(dst: WritableRegister, src: Register, to: number, from: number): AddrSpaceCastInsn {
  return made({ kind: 'addr_space_cast', dst, src, to: checkSpace(to, 0x7fff), from: checkSpace(from, 0xffff) });
}

/** Two of them share the immediate, in whose upper half a sign has no place. */
function checkSpace(space: number, max: number): number {
  return checkRange('addrSpaceCast: address space', space, 0, max);
}
