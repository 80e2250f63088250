import type {
  CallInsn,
  CallKfuncInsn,
  CallSubprogInsn,
  ExitInsn,
  GotoInsn,
  GotoxInsn,
  JumpInsn,
  JumpOp,
  LabelInsn,
  Register,
  Target,
} from './insn.ts';
import { checkOff, checkUnsigned, operand32, operand64 } from './range.ts';
import { made } from './source.ts';

/**
 * A conditional jump on a register and a register or an immediate (RFC 9669, section 4.3). The 64-bit forms sign-extend
 * the 32-bit immediate; the 32-bit forms (`jeq32` and so on) compare the lower halves and take any 32 bits. The target is
 * a label, or a number of slots counted from the next one; a wide instruction counts as two.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for an immediate that does not fit
 */
export type JumpBuilder = (dst: Register, src: Register | number, target: Target) => JumpInsn;

const jump64 =
  (op: JumpOp): JumpBuilder =>
  (dst, src, target) =>
    made({ kind: 'jump', op, bits: 64, dst, src: operand64(op, src), target });

const jump32 =
  (op: JumpOp): JumpBuilder =>
  (dst, src, target) =>
    made({ kind: 'jump', op, bits: 32, dst, src: operand32(op, src), target });

/**
 * Emits `if dst == src goto target`.
 *
 * @example
 * ```ts
 * assemble([jeq('r1', 0, 'out'), mov('r0', 1), exit(), label('out'), mov('r0', 0), exit()]);
 * ```
 */
export const jeq: JumpBuilder = /* @__PURE__ */ jump64('jeq');
/** Emits `if dst != src goto target`. */
export const jne: JumpBuilder = /* @__PURE__ */ jump64('jne');
/** Emits `if dst > src goto target`, unsigned. */
export const jgt: JumpBuilder = /* @__PURE__ */ jump64('jgt');
/** Emits `if dst >= src goto target`, unsigned. */
export const jge: JumpBuilder = /* @__PURE__ */ jump64('jge');
/** Emits `if dst < src goto target`, unsigned. */
export const jlt: JumpBuilder = /* @__PURE__ */ jump64('jlt');
/** Emits `if dst <= src goto target`, unsigned. */
export const jle: JumpBuilder = /* @__PURE__ */ jump64('jle');
/** Emits `if dst s> src goto target`, signed. */
export const jsgt: JumpBuilder = /* @__PURE__ */ jump64('jsgt');
/** Emits `if dst s>= src goto target`, signed. */
export const jsge: JumpBuilder = /* @__PURE__ */ jump64('jsge');
/** Emits `if dst s< src goto target`, signed. */
export const jslt: JumpBuilder = /* @__PURE__ */ jump64('jslt');
/** Emits `if dst s<= src goto target`, signed. */
export const jsle: JumpBuilder = /* @__PURE__ */ jump64('jsle');
/** Emits `if dst & src goto target`. */
export const jset: JumpBuilder = /* @__PURE__ */ jump64('jset');

/** Emits `if w_dst == w_src goto target`. */
export const jeq32: JumpBuilder = /* @__PURE__ */ jump32('jeq');
/** Emits `if w_dst != w_src goto target`. */
export const jne32: JumpBuilder = /* @__PURE__ */ jump32('jne');
/** Emits `if w_dst > w_src goto target`, unsigned. */
export const jgt32: JumpBuilder = /* @__PURE__ */ jump32('jgt');
/** Emits `if w_dst >= w_src goto target`, unsigned. */
export const jge32: JumpBuilder = /* @__PURE__ */ jump32('jge');
/** Emits `if w_dst < w_src goto target`, unsigned. */
export const jlt32: JumpBuilder = /* @__PURE__ */ jump32('jlt');
/** Emits `if w_dst <= w_src goto target`, unsigned. */
export const jle32: JumpBuilder = /* @__PURE__ */ jump32('jle');
/** Emits `if w_dst s> w_src goto target`, signed. */
export const jsgt32: JumpBuilder = /* @__PURE__ */ jump32('jsgt');
/** Emits `if w_dst s>= w_src goto target`, signed. */
export const jsge32: JumpBuilder = /* @__PURE__ */ jump32('jsge');
/** Emits `if w_dst s< w_src goto target`, signed. */
export const jslt32: JumpBuilder = /* @__PURE__ */ jump32('jslt');
/** Emits `if w_dst s<= w_src goto target`, signed. */
export const jsle32: JumpBuilder = /* @__PURE__ */ jump32('jsle');
/** Emits `if w_dst & w_src goto target`. */
export const jset32: JumpBuilder = /* @__PURE__ */ jump32('jset');

/** Emits `goto target`. `assemble` makes it a `gotol` when it is too long and the target processor has that. */
export function ja(target: Target): GotoInsn {
  return made({ kind: 'goto', op: 'ja', target });
}

/** Emits `gotol target`: a jump with a 32-bit offset. Linux 6.6. */
export function gotol(target: Target): GotoInsn {
  return made({ kind: 'goto', op: 'gotol', target });
}

/**
 * Emits `may_goto target`: goes there once the kernel finds that a loop has run long enough, so that the verifier need not
 * see its end. Linux 6.9.
 */
export function mayGoto(target: Target): GotoInsn {
  return made({ kind: 'goto', op: 'may_goto', target });
}

/** Emits `gotox reg`: a jump to an address that was loaded from a jump table. Linux 6.19. */
export function gotox(reg: Register): GotoxInsn {
  return made({ kind: 'gotox', dst: reg });
}

/** Names the next instruction, for jumps and calls to go to. Takes no slot. */
export function label(name: string): LabelInsn {
  return made({ kind: 'label', name });
}

/**
 * Emits `call helper`: a call of the kernel's helper with this number (`enum bpf_func_id`). Arguments are in
 * r1..r5, the result is in r0; r1..r5 cannot be read afterwards.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a number outside 0..2^31-1
 */
export function call(helper: number): CallInsn {
  return made({ kind: 'call', helper: checkUnsigned('call', helper) });
}

/**
 * Emits a call of a kernel function by its BTF id. `fdIndex` is 0 for one of vmlinux, else the place of its module's BTF
 * in the fd_array of BPF_PROG_LOAD. Linux 5.13.
 *
 * @throws InsnError `IMMEDIATE_RANGE`, `OFFSET_RANGE`
 */
export function callKfunc(btfId: number, fdIndex = 0): CallKfuncInsn {
  return made({
    kind: 'call_kfunc',
    btfId: checkUnsigned('callKfunc', btfId),
    fdIndex: checkOff('callKfunc', fdIndex),
  });
}

/**
 * Emits `call pc+target`: a call of a function of the same program, which starts at a label. Arguments are in r1..r5, the
 * result is in r0; the function has r6..r9 and a stack of its own. Linux 4.16.
 *
 * @example
 * ```ts
 * assemble([mov('r1', 2), callSubprog('double'), exit(), label('double'), mov('r0', 'r1'), add('r0', 'r0'), exit()]);
 * ```
 */
export function callSubprog(target: Target): CallSubprogInsn {
  return made({ kind: 'call_subprog', target });
}

/** Emits `exit`: return r0. */
export function exit(): ExitInsn {
  return made({ kind: 'exit' });
}
