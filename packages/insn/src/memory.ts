import type {
  AcquireReleaseInsn,
  AtomicInsn,
  AtomicOp,
  LoadInsn,
  PacketInsn,
  Register,
  Size,
  StoreImmInsn,
  StoreInsn,
  WritableRegister,
} from './insn.ts';
import { checkImm32, checkOff, checkRange, storeLimits } from './range.ts';
import { made } from './source.ts';

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
  return made({ kind: 'ldx', size, dst, src, off: checkOff('ldx', off) });
}

/**
 * Emits `dst = *(s8, s16 or s32 *)(src + off)`, sign-extended to 64 bits. Linux 6.6.
 *
 * @throws InsnError `OFFSET_RANGE`
 */
export function ldsx(size: 'b' | 'h' | 'w', dst: WritableRegister, src: Register, off: number): LoadInsn {
  return made({ kind: 'ldsx', size, dst, src, off: checkOff('ldsx', off) });
}

/**
 * Emits `*(size *)(dst + off) = src`.
 *
 * @throws InsnError `OFFSET_RANGE`
 */
export function stx(size: Size, dst: Register, src: Register, off: number): StoreInsn {
  return made({ kind: 'stx', size, dst, src, off: checkOff('stx', off) });
}

/**
 * Emits `*(size *)(dst + off) = imm`. A `dw` store sign-extends the 32-bit immediate; a smaller one stores the
 * bits it has room for, so both -1 and 255 are a byte.
 *
 * @throws InsnError `OFFSET_RANGE`, and `IMMEDIATE_RANGE` for a value that the size cannot hold
 */
export function st(size: Size, dst: Register, off: number, imm: number): StoreImmInsn {
  const { min, max } = storeLimits[size];
  const checked = checkRange('st', imm, min, max, `, what '${size}' holds`) | 0;
  return made({ kind: 'st', size, dst, off: checkOff('st', off), imm: checked });
}

/**
 * An atomic operation on memory: `size` is 'w' or 'dw' (RFC 9669, section 5.3).
 *
 * @throws InsnError `OFFSET_RANGE`
 */
export type AtomicBuilder = (size: 'w' | 'dw', dst: Register, src: Register, off: number) => AtomicInsn;
/** An atomic operation that writes src: with the old value, zero-extended. */
export type AtomicFetchBuilder = (size: 'w' | 'dw', dst: Register, src: WritableRegister, off: number) => AtomicInsn;

const atomic =
  (op: AtomicOp, fetch: boolean): AtomicBuilder =>
  (size, dst, src, off) =>
    made({ kind: 'atomic', op, fetch, size, dst, src, off: checkOff(`atomic ${op}`, off) });

/** Emits `lock *(size *)(dst + off) += src`. */
export const atomicAdd: AtomicBuilder = /* @__PURE__ */ atomic('add', false);
/** Emits `lock *(size *)(dst + off) |= src`. Linux 5.12. */
export const atomicOr: AtomicBuilder = /* @__PURE__ */ atomic('or', false);
/** Emits `lock *(size *)(dst + off) &= src`. Linux 5.12. */
export const atomicAnd: AtomicBuilder = /* @__PURE__ */ atomic('and', false);
/** Emits `lock *(size *)(dst + off) ^= src`. Linux 5.12. */
export const atomicXor: AtomicBuilder = /* @__PURE__ */ atomic('xor', false);
/** Emits `src = atomic_fetch_add((size *)(dst + off), src)`. Linux 5.12. */
export const atomicFetchAdd: AtomicFetchBuilder = /* @__PURE__ */ atomic('add', true);
/** Emits `src = atomic_fetch_or((size *)(dst + off), src)`. Linux 5.12. */
export const atomicFetchOr: AtomicFetchBuilder = /* @__PURE__ */ atomic('or', true);
/** Emits `src = atomic_fetch_and((size *)(dst + off), src)`. Linux 5.12. */
export const atomicFetchAnd: AtomicFetchBuilder = /* @__PURE__ */ atomic('and', true);
/** Emits `src = atomic_fetch_xor((size *)(dst + off), src)`. Linux 5.12. */
export const atomicFetchXor: AtomicFetchBuilder = /* @__PURE__ */ atomic('xor', true);
/** Emits `src = xchg((size *)(dst + off), src)`. Linux 5.12. */
export const atomicXchg: AtomicFetchBuilder = /* @__PURE__ */ atomic('xchg', true);
/** Emits `r0 = cmpxchg((size *)(dst + off), r0, src)`: stores src if the memory equals r0. Linux 5.12. */
export const atomicCmpxchg: AtomicBuilder = /* @__PURE__ */ atomic('cmpxchg', true);

/** Emits `dst = load_acquire((size *)(src + off))`: later accesses are not done before it. Linux 6.15. */
export function loadAcquire(size: Size, dst: WritableRegister, src: Register, off: number): AcquireReleaseInsn {
  return made({ kind: 'load_acquire', size, dst, src, off: checkOff('loadAcquire', off) });
}

/** Emits `store_release((size *)(dst + off), src)`: earlier accesses are done before it. Linux 6.15. */
export function storeRelease(size: Size, dst: Register, src: Register, off: number): AcquireReleaseInsn {
  return made({ kind: 'store_release', size, dst, src, off: checkOff('storeRelease', off) });
}

/**
 * Emits `r0 = *(size *)skb[imm]`: a load from the packet, in host byte order, which ends the program when it is beyond the
 * packet. Wants the context in r6; only for programs on packets. Deprecated (RFC 9669, section 5.5).
 */
export function ldAbs(size: 'b' | 'h' | 'w', imm: number): PacketInsn {
  return made({ kind: 'ld_abs', size, imm: checkImm32('ldAbs', imm) });
}

/** Emits `r0 = *(size *)skb[src + imm]`: as {@link ldAbs}. */
export function ldInd(size: 'b' | 'h' | 'w', src: Register, imm: number): PacketInsn {
  return made({ kind: 'ld_ind', size, src, imm: checkImm32('ldInd', imm) });
}
