export { type AluBuilder, add, and, arsh, div, lsh, mod, mov, mul, or, rsh, sub, xor } from './alu.ts';
export { type AssembleOptions, assemble, slotCount } from './assemble.ts';
export { SLOT_BYTES } from './encode.ts';
export { InsnError, type InsnErrorCode } from './error.ts';
export type * from './insn.ts';
export {
  call,
  exit,
  type JumpBuilder,
  ja,
  jeq,
  jge,
  jgt,
  jle,
  jlt,
  jne,
  jset,
  jsge,
  jsgt,
  jsle,
  jslt,
  label,
} from './jump.ts';
export { atomicAdd, lddw, ldMapFd, ldx, sizeBytes, st, stx } from './memory.ts';
