/** The numbers of RFC 9669 and of include/uapi/linux/bpf.h, for encoding and decoding alike. */
import type { AluOp, AtomicOp, JumpOp, LddwInsn, Register, Size } from './insn.ts';

// Numbers stand before all else: that is when bundlers put them where they are used.

/** Bytes in an instruction slot. */
export const SLOT_BYTES = 8;

/** The range of the immediate field. */
export const MIN_32 = -0x8000_0000;
export const MAX_32 = 0x7fff_ffff;

/** Instruction classes: the lower three bits of the opcode. */
export const LD = 0x00;
export const LDX = 0x01;
export const ST = 0x02;
export const STX = 0x03;
export const ALU = 0x04;
export const JMP = 0x05;
export const JMP32 = 0x06;
export const ALU64 = 0x07;

/** The source bit of arithmetic and jumps: set when the operand is a register. */
export const X = 0x08;

/** Modes of loads and stores. */
export const ABS = 0x20;
export const IND = 0x40;
export const MEM = 0x60;
export const MEMSX = 0x80;
export const ATOMIC = 0xc0;

export const LDDW = 0x18;
export const MOV = 0xb0;
export const NEG = 0x80;
export const END = 0xd0;
export const JA = 0x00;
export const CALL = 0x85;
export const EXIT = 0x95;
export const JCOND = 0xe5;

/** Immediates of atomic operations. The lowest bit of the others says whether they fetch. */
export const FETCH = 0x01;
export const LOAD_ACQUIRE = 0x100;
export const STORE_RELEASE = 0x110;

/** Values of the src field of a call. */
export const PSEUDO_CALL = 1;
export const PSEUDO_KFUNC_CALL = 2;

/** Numbers by name. */
export type Codes<Name extends string> = ReadonlyMap<Name, number>;

/** Names in the order of their numbers, which are `step` apart; a dash is a number that has none. */
function inOrder<Name extends string>(names: string, step = 1): Codes<Name> {
  const codes = new Map<Name, number>();
  names.split(' ').forEach((name, i) => {
    if (name !== '-') codes.set(name as Name, i * step);
  });
  return codes;
}

/** The same table from what it leads to. */
export function invert<From, To>(table: Iterable<readonly [From, To]>): ReadonlyMap<To, From> {
  return new Map([...table].map(([from, to]) => [to, from]));
}

/** By the src field of `lddw`: BPF_PSEUDO_MAP_FD is 1. */
export const lddwSources: Codes<LddwInsn['source']> = /* @__PURE__ */ inOrder(
  'imm map_fd map_value btf_id func map_idx map_idx_value',
);

/** Of sdiv and smod, which are div and mod with an offset of 1, the offset stands above the opcode. */
export const aluCodes: Codes<AluOp> = /* @__PURE__ */ inOrder(
  'add sub mul div or and lsh rsh - mod xor mov arsh - - - - - - sdiv - - - - - smod',
  0x10,
);

export const jumpCodes: Codes<JumpOp> = /* @__PURE__ */ inOrder(
  '- jeq jgt jge jset jne jsgt jsge - - jlt jle jslt jsle',
  0x10,
);

export const sizeCodes: Codes<Size> = /* @__PURE__ */ inOrder('w h b dw', 0x08);

/** The number of bytes that an access of each size reads or writes. */
export const sizeBytes: Readonly<Record<Size, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, dw: 8 };

/** The immediate of an atomic operation. */
export const atomicCodes: Codes<AtomicOp> = /* @__PURE__ */ inOrder(
  'add - - - or and - - - - xor - - - xchg cmpxchg',
  0x10,
);

export const registers: readonly Register[] = /* @__PURE__ */ 'r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10'.split(' ') as never;
