import type { CallInsn, ExitInsn, JumpInsn, JumpOp, LabelInsn, Register, Target } from './insn.ts';
import { checkImm } from './range.ts';

/**
 * A conditional jump on the 64-bit values of a register and a register or a sign-extended 32-bit immediate
 * (RFC 9669, section 4.3). The target is a label, or a number of slots counted from the next instruction;
 * a wide instruction counts as two.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for an immediate outside -2^31..2^31-1
 */
export type JumpBuilder = (dst: Register, src: Register | number, target: Target) => JumpInsn;

function jump(op: JumpOp): JumpBuilder {
  return (dst, src, target) => ({
    kind: 'jump',
    op,
    dst,
    src: typeof src === 'number' ? checkImm(op, src) : src,
    target,
  });
}

/** Emits `goto target`. */
export function ja(target: Target): JumpInsn {
  return { kind: 'jump', op: 'ja', target };
}

/**
 * Emits `if dst == src goto target`.
 *
 * @example
 * ```ts
 * assemble([jeq('r1', 0, 'out'), mov('r0', 1), exit(), label('out'), mov('r0', 0), exit()]);
 * ```
 */
export const jeq: JumpBuilder = /* @__PURE__ */ jump('jeq');
/** Emits `if dst != src goto target`. */
export const jne: JumpBuilder = /* @__PURE__ */ jump('jne');
/** Emits `if dst > src goto target`, unsigned. */
export const jgt: JumpBuilder = /* @__PURE__ */ jump('jgt');
/** Emits `if dst >= src goto target`, unsigned. */
export const jge: JumpBuilder = /* @__PURE__ */ jump('jge');
/** Emits `if dst < src goto target`, unsigned. */
export const jlt: JumpBuilder = /* @__PURE__ */ jump('jlt');
/** Emits `if dst <= src goto target`, unsigned. */
export const jle: JumpBuilder = /* @__PURE__ */ jump('jle');
/** Emits `if dst s> src goto target`, signed. */
export const jsgt: JumpBuilder = /* @__PURE__ */ jump('jsgt');
/** Emits `if dst s>= src goto target`, signed. */
export const jsge: JumpBuilder = /* @__PURE__ */ jump('jsge');
/** Emits `if dst s< src goto target`, signed. */
export const jslt: JumpBuilder = /* @__PURE__ */ jump('jslt');
/** Emits `if dst s<= src goto target`, signed. */
export const jsle: JumpBuilder = /* @__PURE__ */ jump('jsle');
/** Emits `if dst & src goto target`. */
export const jset: JumpBuilder = /* @__PURE__ */ jump('jset');

/** Names the next instruction, for jumps to go to. Takes no slot. */
export function label(name: string): LabelInsn {
  return { kind: 'label', name };
}

/**
 * Emits `call helper`: a call of the kernel's helper with this number (`enum bpf_func_id`). Arguments are in
 * r1..r5, the result is in r0; r1..r5 cannot be read afterwards.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a number outside 0..2^31-1
 */
export function call(helper: number): CallInsn {
  return { kind: 'call', helper: checkImm('call', helper) };
}

/** Emits `exit`: return r0. */
export function exit(): ExitInsn {
  return { kind: 'exit' };
}
