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
  JA,
  JCOND,
  JMP,
  JMP32,
  jumpCodes,
  LD,
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
  ST,
  STORE_RELEASE,
  STX,
  sizeCodes,
  X,
} from './codes.ts';
import { InsnError } from './error.ts';
import type { Insn, LddwInsn, Register, Size, Target } from './insn.ts';
import { fits16 } from './range.ts';

/** Bytes in an instruction slot. */
export const SLOT_BYTES = 8;

/** Where instructions are written, and what their bytes depend on besides themselves. */
export interface Writer {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** The distance of a target from the slot after this one. */
  distance(target: Target, slot: number): number;
  /** The file descriptor of a map. */
  mapFd(map: string | number): number;
}

/** The number of slots that an instruction takes. */
export function slotsOf({ kind }: Insn): 0 | 1 | 2 {
  return kind === 'label' ? 0 : kind === 'lddw' ? 2 : 1;
}

/** Writes an instruction at a slot; returns the slot that follows it. */
export function encode(writer: Writer, slot: number, insn: Insn): number {
  switch (insn.kind) {
    case 'alu': {
      const opcode = (insn.bits === 64 ? ALU64 : ALU) | code(aluCodes, insn.op, 'arithmetic operation');
      const off = insn.op === 'sdiv' || insn.op === 'smod' ? 1 : 0;
      return putOperand(writer, slot, opcode, insn.dst, insn.src, off);
    }
    case 'neg':
      return put(writer, slot, (insn.bits === 64 ? ALU64 : ALU) | NEG, insn.dst, 0, 0, 0);
    case 'movsx':
      return put(writer, slot, (insn.bits === 64 ? ALU64 : ALU) | MOV | X, insn.dst, insn.src, insn.from, 0);
    case 'end': {
      const opcode = insn.op === 'bswap' ? ALU64 | END : insn.op === 'be' ? ALU | END | X : ALU | END;
      return put(writer, slot, opcode, insn.dst, 0, 0, insn.width);
    }
    case 'addr_space_cast':
      return put(writer, slot, ALU64 | MOV | X, insn.dst, insn.src, 1, (insn.to << 16) | insn.from);
    case 'jump': {
      const opcode = (insn.bits === 64 ? JMP : JMP32) | code(jumpCodes, insn.op, 'jump');
      return putOperand(writer, slot, opcode, insn.dst, insn.src, short(writer, slot, insn.target));
    }
    case 'goto':
      if (insn.op === 'gotol') return put(writer, slot, JMP32 | JA, 0, 0, 0, writer.distance(insn.target, slot));
      return put(writer, slot, insn.op === 'ja' ? JMP | JA : JCOND, 0, 0, short(writer, slot, insn.target), 0);
    case 'gotox':
      return put(writer, slot, JMP | JA | X, insn.dst, 0, 0, 0);
    case 'call':
      return put(writer, slot, CALL, 0, 0, 0, insn.helper);
    case 'call_kfunc':
      return put(writer, slot, CALL, 0, PSEUDO_KFUNC_CALL, insn.fdIndex, insn.btfId);
    case 'call_subprog':
      return put(writer, slot, CALL, 0, PSEUDO_CALL, 0, writer.distance(insn.target, slot));
    case 'exit':
      return put(writer, slot, EXIT, 0, 0, 0, 0);
    case 'ldx':
      return put(writer, slot, LDX | MEM | sizeOf(insn.size), insn.dst, insn.src, insn.off, 0);
    case 'ldsx':
      return put(writer, slot, LDX | MEMSX | sizeOf(insn.size), insn.dst, insn.src, insn.off, 0);
    case 'stx':
      return put(writer, slot, STX | MEM | sizeOf(insn.size), insn.dst, insn.src, insn.off, 0);
    case 'st':
      return put(writer, slot, ST | MEM | sizeOf(insn.size), insn.dst, 0, insn.off, insn.imm);
    case 'atomic': {
      const imm = code(atomicCodes, insn.op, 'atomic operation') | (insn.fetch ? FETCH : 0);
      return put(writer, slot, STX | ATOMIC | sizeOf(insn.size), insn.dst, insn.src, insn.off, imm);
    }
    case 'load_acquire':
      return put(writer, slot, STX | ATOMIC | sizeOf(insn.size), insn.dst, insn.src, insn.off, LOAD_ACQUIRE);
    case 'store_release':
      return put(writer, slot, STX | ATOMIC | sizeOf(insn.size), insn.dst, insn.src, insn.off, STORE_RELEASE);
    case 'lddw':
      return encodeWide(writer, slot, insn);
    case 'ld_abs':
      return put(writer, slot, LD | ABS | sizeOf(insn.size), 0, 0, 0, insn.imm);
    case 'ld_ind':
      return put(writer, slot, LD | IND | sizeOf(insn.size), 0, insn.src ?? 0, 0, insn.imm);
    case 'raw':
      return put(writer, slot, insn.opcode, insn.dst, insn.src, insn.off, insn.imm);
    case 'label':
      return slot;
    default:
      throw new InsnError('UNKNOWN_NAME', `'${(insn as { kind: string }).kind}' is not a kind of instruction`);
  }
}

function encodeWide(writer: Writer, slot: number, insn: LddwInsn): number {
  switch (insn.source) {
    case 'imm':
      return putWide(
        writer,
        slot,
        insn,
        Number(BigInt.asIntN(32, insn.imm)),
        Number(BigInt.asIntN(32, insn.imm >> 32n)),
      );
    case 'map_fd':
      return putWide(writer, slot, insn, writer.mapFd(insn.map), 0);
    case 'map_value':
      return putWide(writer, slot, insn, writer.mapFd(insn.map), insn.off);
    case 'btf_id':
      return putWide(writer, slot, insn, insn.btfId, insn.btfFd);
    case 'func':
      return putWide(writer, slot, insn, writer.distance(insn.target, slot), 0);
    case 'map_idx':
      return putWide(writer, slot, insn, insn.index, 0);
    case 'map_idx_value':
      return putWide(writer, slot, insn, insn.index, insn.off);
    default:
      throw unknown((insn as LddwInsn).source, 'source of lddw', lddwSources);
  }
}

function putWide(writer: Writer, slot: number, { dst, source }: LddwInsn, low: number, high: number): number {
  put(writer, slot, LDDW, dst, lddwSources.indexOf(source), 0, low);
  return put(writer, slot + 1, 0, 0, 0, 0, high);
}

/** An instruction whose second operand is a register or an immediate. */
function putOperand(
  writer: Writer,
  slot: number,
  opcode: number,
  dst: Register,
  src: Register | number,
  off: number,
): number {
  if (typeof src === 'number') return put(writer, slot, opcode, dst, 0, off, src);
  return put(writer, slot, opcode | X, dst, src, off, 0);
}

function put(
  { view, littleEndian }: Writer,
  slot: number,
  opcode: number,
  dst: Register | number,
  src: Register | number,
  off: number,
  imm: number,
): number {
  const at = slot * SLOT_BYTES;
  // The fields of a slot are those of a C struct: in the other byte order the two registers change places as well.
  if (littleEndian) view.setUint32(at, opcode | (reg(dst) << 8) | (reg(src) << 12) | (off << 16), true);
  else view.setUint32(at, (opcode << 24) | (reg(dst) << 20) | (reg(src) << 16) | (off & 0xffff));
  view.setInt32(at + 4, imm, littleEndian);
  return slot + 1;
}

/** The 16-bit offset of a jump. */
function short(writer: Writer, slot: number, target: Target): number {
  const off = writer.distance(target, slot);
  if (fits16(off)) return off;
  throw new InsnError(
    'JUMP_RANGE',
    `the jump at slot ${slot} goes ${off} slots; it can go an integer in -32768..32767 (further with cpu: 'v4')`,
  );
}

/** The number of a register, read off its name. */
function reg(name: Register | number): number {
  if (typeof name === 'number') return name;
  const number = name.length === 2 ? name.charCodeAt(1) - 48 : 10;
  if (registers[number] === name) return number;
  throw unknown(name, 'register', registers);
}

const sizeOf = (name: Size): number => code(sizeCodes, name, 'size');

function code<Name extends string>(table: Readonly<Record<Name, number>>, name: Name, what: string): number {
  const value = table[name];
  if (typeof value === 'number') return value;
  throw unknown(name, what, Object.keys(table));
}

/** Types refuse an unknown name; this is for programs that come from JavaScript. */
function unknown(name: string, what: string, known: readonly string[]): InsnError {
  return new InsnError('UNKNOWN_NAME', `'${name}' is not a ${what}; they are ${known.join(' ')}`);
}
