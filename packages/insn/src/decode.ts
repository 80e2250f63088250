import {
  ABS,
  ALU,
  ALU64,
  ATOMIC,
  aluCodes,
  atomicCodes,
  CALL,
  END,
  EXIT,
  FETCH,
  IND,
  invert,
  JA,
  JCOND,
  JMP,
  JMP32,
  jumpCodes,
  LDDW,
  LDX,
  LOAD_ACQUIRE,
  lddwSources,
  MEM,
  MEMSX,
  MOV,
  NEG,
  PSEUDO_CALL,
  PSEUDO_KFUNC_CALL,
  registers,
  SLOT_BYTES,
  ST,
  STORE_RELEASE,
  STX,
  sizeCodes,
  X,
} from './codes.ts';
import { refuse } from './error.ts';
import type { AluOp, AtomicOp, Bits, Insn, JumpOp, LddwInsn, RawInsn, Register, Size } from './insn.ts';
import { storeLimits } from './range.ts';

/** A slot's fields, the immediate signed. */
type Fields = Omit<RawInsn, 'kind'>;

/**
 * Decodes bytes to instructions, and loses nothing: `assemble(decode(bytes))` gives the same bytes, whatever they are. A
 * slot that is no instruction known here becomes a `raw` one; so does one with a field set that its instruction does not
 * use. Targets of jumps and calls are numbers of slots.
 *
 * @throws InsnError `LENGTH` when the bytes are not whole slots
 * @example
 * ```ts
 * decode(Uint8Array.of(0xb7, 0, 0, 0, 42, 0, 0, 0)); // [{ kind: 'alu', op: 'mov', bits: 64, dst: 'r0', src: 42 }]
 * ```
 */
export function decode(bytes: Uint8Array, options: { readonly endian?: 'little' | 'big' } = {}): Insn[] {
  if (bytes.byteLength % SLOT_BYTES !== 0)
    refuse('LENGTH', 'decode', bytes.byteLength, `a multiple of ${SLOT_BYTES} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots = bytes.byteLength / SLOT_BYTES;
  const fieldsAt = options.endian === 'big' ? bigEndian : littleEndian;
  const insns: Insn[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const fields = fieldsAt(view, slot * SLOT_BYTES);
    if (fields.opcode === LDDW && slot + 1 < slots) {
      const wide = decodeWide(fields, fieldsAt(view, (slot + 1) * SLOT_BYTES));
      if (wide) {
        insns.push(wide);
        slot++;
        continue;
      }
    }
    insns.push(decodeSlot(fields) ?? { kind: 'raw', ...fields });
  }
  return insns;
}

function littleEndian(view: DataView, at: number): Fields {
  const word = view.getUint32(at, true);
  return {
    opcode: word & 0xff,
    dst: (word >>> 8) & 0xf,
    src: (word >>> 12) & 0xf,
    off: word >> 16,
    imm: view.getInt32(at + 4, true),
  };
}

function bigEndian(view: DataView, at: number): Fields {
  const word = view.getUint32(at);
  return {
    opcode: word >>> 24,
    dst: (word >>> 20) & 0xf,
    src: (word >>> 16) & 0xf,
    off: (word << 16) >> 16,
    imm: view.getInt32(at + 4),
  };
}

const aluOps: ReadonlyMap<number, AluOp> = /* @__PURE__ */ invert(aluCodes);
const jumpOps: ReadonlyMap<number, JumpOp> = /* @__PURE__ */ invert(jumpCodes);
const sizes: ReadonlyMap<number, Size> = /* @__PURE__ */ invert(sizeCodes);
const atomicOps: ReadonlyMap<number, AtomicOp> = /* @__PURE__ */ invert(atomicCodes);
const lddwNames: ReadonlyMap<number, LddwInsn['source']> = /* @__PURE__ */ invert(lddwSources);

/** The instruction of one slot, or undefined when there is none that has just these fields. */
function decodeSlot(fields: Fields): Insn | undefined {
  switch (fields.opcode & 0x07) {
    case ALU:
    case ALU64:
      return decodeAlu(fields);
    case JMP:
    case JMP32:
      return decodeJump(fields);
    default:
      return decodeMemory(fields);
  }
}

function decodeAlu({ opcode, dst: dstNumber, src: srcNumber, off, imm }: Fields): Insn | undefined {
  const bits: Bits = (opcode & 0x07) === ALU64 ? 64 : 32;
  const dst = registers[dstNumber];
  const code = opcode & 0xf0;
  if (!dst) return undefined;
  if (code === NEG) {
    if (opcode & X || srcNumber || off || imm) return undefined;
    return { kind: 'neg', bits, dst };
  }
  if (code === END) {
    if (srcNumber || off || (imm !== 16 && imm !== 32 && imm !== 64)) return undefined;
    if (bits === 32) return { kind: 'end', op: opcode & X ? 'be' : 'le', width: imm, dst };
    return opcode & X ? undefined : { kind: 'end', op: 'bswap', width: imm, dst };
  }
  const op = aluOps.get(code | (off === 1 && code !== MOV ? 0x100 : 0));
  const src = operand(opcode, srcNumber, imm);
  if (op === undefined || src === undefined) {
    // The one instruction with a register operand and an immediate.
    const cast = op === 'mov' && bits === 64 && opcode & X && off === 1 && imm > 0;
    const from = registers[srcNumber];
    return cast && from ? { kind: 'addr_space_cast', dst, src: from, to: imm >>> 16, from: imm & 0xffff } : undefined;
  }
  if (off === 0 || (off === 1 && op !== 'mov')) return { kind: 'alu', op, bits, dst, src };
  if (op !== 'mov' || typeof src === 'number') return undefined;
  if (off === 8 || off === 16 || (off === 32 && bits === 64)) return { kind: 'movsx', bits, from: off, dst, src };
  if (off === 1 && bits === 64) return { kind: 'addr_space_cast', dst, src, to: 0, from: 0 };
  return undefined;
}

function decodeJump({ opcode, dst: dstNumber, src: srcNumber, off, imm }: Fields): Insn | undefined {
  const only = (used: 'off' | 'imm' | 'none'): boolean =>
    !dstNumber && !srcNumber && (used === 'off' || !off) && (used === 'imm' || !imm);
  switch (opcode) {
    case JMP | JA:
      return only('off') ? { kind: 'goto', op: 'ja', target: off } : undefined;
    case JMP32 | JA:
      return only('imm') ? { kind: 'goto', op: 'gotol', target: imm } : undefined;
    case JCOND:
      return only('off') ? { kind: 'goto', op: 'may_goto', target: off } : undefined;
    case EXIT:
      return only('none') ? { kind: 'exit' } : undefined;
    case CALL:
      return decodeCall(dstNumber, srcNumber, off, imm);
  }
  const dst = registers[dstNumber];
  if (!dst) return undefined;
  if (opcode === (JMP | JA | X)) return srcNumber || off || imm ? undefined : { kind: 'gotox', dst };
  const op = jumpOps.get(opcode & 0xf0);
  const src = operand(opcode, srcNumber, imm);
  if (op === undefined || src === undefined) return undefined;
  return { kind: 'jump', op, bits: (opcode & 0x07) === JMP ? 64 : 32, dst, src, target: off };
}

function decodeCall(dst: number, src: number, off: number, imm: number): Insn | undefined {
  if (dst) return undefined;
  if (src === 0 && !off && imm >= 0) return { kind: 'call', helper: imm };
  if (src === PSEUDO_CALL && !off) return { kind: 'call_subprog', target: imm };
  if (src === PSEUDO_KFUNC_CALL && imm >= 0) return { kind: 'call_kfunc', btfId: imm, fdIndex: off };
  return undefined;
}

function decodeMemory({ opcode, dst: dstNumber, src: srcNumber, off, imm }: Fields): Insn | undefined {
  const dst = registers[dstNumber];
  const src = registers[srcNumber];
  const size = sizes.get(opcode & 0x18);
  if (!dst || !src || !size) return undefined;
  switch (opcode & 0xe7) {
    case LDX | MEM:
      return imm ? undefined : { kind: 'ldx', size, dst, src, off };
    case LDX | MEMSX:
      return imm || size === 'dw' ? undefined : { kind: 'ldsx', size, dst, src, off };
    case STX | MEM:
      return imm ? undefined : { kind: 'stx', size, dst, src, off };
    case ST | MEM:
      // Bits that the store does not take have no place in what a builder makes.
      return srcNumber || imm < storeLimits[size].min || imm > storeLimits[size].max
        ? undefined
        : { kind: 'st', size, dst, off, imm };
    case STX | ATOMIC:
      return decodeAtomic(size, dst, src, off, imm);
    case ABS:
      return dstNumber || srcNumber || off || size === 'dw' ? undefined : { kind: 'ld_abs', size, imm };
    case IND:
      return dstNumber || off || size === 'dw' ? undefined : { kind: 'ld_ind', size, src, imm };
    default:
      return undefined;
  }
}

function decodeAtomic(size: Size, dst: Register, src: Register, off: number, imm: number): Insn | undefined {
  if (imm === LOAD_ACQUIRE) return { kind: 'load_acquire', size, dst, src, off };
  if (imm === STORE_RELEASE) return { kind: 'store_release', size, dst, src, off };
  const op = atomicOps.get(imm & ~FETCH);
  const fetch = (imm & FETCH) !== 0;
  if (op === undefined || (size !== 'w' && size !== 'dw')) return undefined;
  if ((op === 'xchg' || op === 'cmpxchg') && !fetch) return undefined;
  return { kind: 'atomic', op, fetch, size, dst, src, off };
}

function decodeWide(first: Fields, second: Fields): LddwInsn | undefined {
  const dst = registers[first.dst];
  const source = lddwNames.get(first.src);
  if (!dst || !source || first.off || second.opcode || second.dst || second.src || second.off) return undefined;
  const low = first.imm;
  const high = second.imm;
  const kind = 'lddw';
  switch (source) {
    case 'imm':
      return { kind, dst, source, imm: (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0) };
    case 'map_fd':
      return high ? undefined : { kind, dst, source, map: low };
    case 'map_value':
      return { kind, dst, source, map: low, off: high };
    case 'btf_id':
      return { kind, dst, source, btfId: low, btfFd: high };
    case 'func':
      return high ? undefined : { kind, dst, source, target: low };
    case 'map_idx':
      return high ? undefined : { kind, dst, source, index: low };
    case 'map_idx_value':
      return { kind, dst, source, index: low, off: high };
  }
}

/** The second operand of arithmetic or a jump; undefined when both are set. */
function operand(opcode: number, src: number, imm: number): Register | number | undefined {
  if (opcode & X) return imm ? undefined : registers[src];
  return src ? undefined : imm;
}
