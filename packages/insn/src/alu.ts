import type { AluInsn, AluOp, Register, WritableRegister } from './insn.ts';
import { checkImm } from './range.ts';

/**
 * A 64-bit arithmetic instruction on a register and a register or an immediate. The immediate is a signed
 * 32-bit number that the processor sign-extends (RFC 9669, section 4.1).
 *
 * @throws InsnError `IMMEDIATE_RANGE` for an immediate outside -2^31..2^31-1
 */
export type AluBuilder = (dst: WritableRegister, src: Register | number) => AluInsn;

function alu(op: AluOp): AluBuilder {
  return (dst, src) => ({ kind: 'alu', op, dst, src: typeof src === 'number' ? checkImm(op, src) : src });
}

/**
 * Emits `dst = src`.
 *
 * @example
 * ```ts
 * mov('r6', 'r1'); // save the context
 * mov('r0', 0);    // return value
 * ```
 */
export const mov: AluBuilder = /* @__PURE__ */ alu('mov');
/** Emits `dst += src`. */
export const add: AluBuilder = /* @__PURE__ */ alu('add');
/** Emits `dst -= src`. */
export const sub: AluBuilder = /* @__PURE__ */ alu('sub');
/** Emits `dst *= src`. */
export const mul: AluBuilder = /* @__PURE__ */ alu('mul');
/** Emits `dst /= src`, unsigned; dividing by zero gives 0. The verifier refuses an immediate 0. */
export const div: AluBuilder = /* @__PURE__ */ alu('div');
/** Emits `dst %= src`, unsigned; modulo zero leaves `dst`. The verifier refuses an immediate 0. */
export const mod: AluBuilder = /* @__PURE__ */ alu('mod');
/** Emits `dst |= src`. */
export const or: AluBuilder = /* @__PURE__ */ alu('or');
/** Emits `dst &= src`. A mask such as 0xffffffff does not fit the immediate: load it with `lddw` first. */
export const and: AluBuilder = /* @__PURE__ */ alu('and');
/** Emits `dst ^= src`. */
export const xor: AluBuilder = /* @__PURE__ */ alu('xor');
/** Emits `dst <<= src`. */
export const lsh: AluBuilder = /* @__PURE__ */ alu('lsh');
/** Emits `dst >>= src`, filling with zeros. */
export const rsh: AluBuilder = /* @__PURE__ */ alu('rsh');
/** Emits `dst s>>= src`, filling with the sign. */
export const arsh: AluBuilder = /* @__PURE__ */ alu('arsh');
