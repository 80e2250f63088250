/** The numbers of RFC 9669 and of include/uapi/linux/bpf.h, for encoding and decoding alike. */
import type { AluOp, AtomicOp, JumpOp, Register, Size } from './insn.ts';

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

/** Values of the src field of a call. */
export const PSEUDO_CALL = 1;
export const PSEUDO_KFUNC_CALL = 2;

/** The order is that of the src field of `lddw`: BPF_PSEUDO_MAP_FD is 1. */
export const lddwSources = ['imm', 'map_fd', 'map_value', 'btf_id', 'func', 'map_idx', 'map_idx_value'] as const;

/** sdiv and smod are div and mod with an offset of 1. */
export const aluCodes: Readonly<Record<AluOp, number>> = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  sdiv: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  mod: 0x90,
  smod: 0x90,
  xor: 0xa0,
  mov: MOV,
  arsh: 0xc0,
};

export const jumpCodes: Readonly<Record<JumpOp, number>> = {
  jeq: 0x10,
  jgt: 0x20,
  jge: 0x30,
  jset: 0x40,
  jne: 0x50,
  jsgt: 0x60,
  jsge: 0x70,
  jlt: 0xa0,
  jle: 0xb0,
  jslt: 0xc0,
  jsle: 0xd0,
};

export const sizeCodes: Readonly<Record<Size, number>> = { w: 0x00, h: 0x08, b: 0x10, dw: 0x18 };

/** The number of bytes that an access of each size reads or writes. */
export const sizeBytes: Readonly<Record<Size, 1 | 2 | 4 | 8>> = { b: 1, h: 2, w: 4, dw: 8 };

/** The immediate of an atomic operation; the lowest bit is set when it fetches. */
export const FETCH = 0x01;
export const atomicCodes: Readonly<Record<AtomicOp, number>> = {
  add: 0x00,
  or: 0x40,
  and: 0x50,
  xor: 0xa0,
  xchg: 0xe0,
  cmpxchg: 0xf0,
};
export const LOAD_ACQUIRE = 0x100;
export const STORE_RELEASE = 0x110;

export const registers: readonly Register[] = ['r0', 'r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8', 'r9', 'r10'];
