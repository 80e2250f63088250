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
import type { Insn, LddwInsn, Register, Size } from './insn.ts';

/** Bytes in an instruction slot. */
export const SLOT_BYTES = 8;

/** Where instructions are written, and what their bytes depend on besides themselves. */
export interface Writer {
  readonly view: DataView;
  readonly littleEndian: boolean;
  /** The distance of a target from the slot after this one. */
  distance(target: string | number, slot: number): number;
  /** The file descriptor of a map. */
  mapFd(map: string | number): number;
}

/** The number of slots that an instruction takes. */
export function slotsOf(insn: Insn): 0 | 1 | 2 {
  return insn.kind === 'label' ? 0 : insn.kind === 'lddw' ? 2 : 1;
}

/** Writes an instruction at a slot. */
export function encode(writer: Writer, slot: number, insn: Insn): void {
  switch (insn.kind) {
    case 'alu': {
      const opcode = (insn.bits === 64 ? ALU64 : ALU) | code(aluCodes, insn.op, 'arithmetic operation');
      const off = insn.op === 'sdiv' || insn.op === 'smod' ? 1 : 0;
      putOperand(writer, slot, opcode, insn.dst, insn.src, off);
      break;
    }
    case 'neg':
      put(writer, slot, (insn.bits === 64 ? ALU64 : ALU) | NEG, reg(insn.dst), 0, 0, 0);
      break;
    case 'movsx':
      put(writer, slot, (insn.bits === 64 ? ALU64 : ALU) | MOV | X, reg(insn.dst), reg(insn.src), insn.from, 0);
      break;
    case 'end': {
      const opcode = insn.op === 'bswap' ? ALU64 | END : insn.op === 'be' ? ALU | END | X : ALU | END;
      put(writer, slot, opcode, reg(insn.dst), 0, 0, insn.width);
      break;
    }
    case 'addr_space_cast':
      put(writer, slot, ALU64 | MOV | X, reg(insn.dst), reg(insn.src), 1, (insn.to << 16) | insn.from);
      break;
    case 'jump': {
      const opcode = (insn.bits === 64 ? JMP : JMP32) | code(jumpCodes, insn.op, 'jump');
      putOperand(writer, slot, opcode, insn.dst, insn.src, short(writer, insn.target, slot));
      break;
    }
    case 'goto':
      if (insn.op === 'gotol') put(writer, slot, JMP32 | JA, 0, 0, 0, writer.distance(insn.target, slot));
      else put(writer, slot, insn.op === 'ja' ? JMP | JA : JCOND, 0, 0, short(writer, insn.target, slot), 0);
      break;
    case 'gotox':
      put(writer, slot, JMP | JA | X, reg(insn.dst), 0, 0, 0);
      break;
    case 'call':
      put(writer, slot, CALL, 0, 0, 0, insn.helper);
      break;
    case 'call_kfunc':
      put(writer, slot, CALL, 0, PSEUDO_KFUNC_CALL, insn.fdIndex, insn.btfId);
      break;
    case 'call_subprog':
      put(writer, slot, CALL, 0, PSEUDO_CALL, 0, writer.distance(insn.target, slot));
      break;
    case 'exit':
      put(writer, slot, EXIT, 0, 0, 0, 0);
      break;
    case 'ldx':
    case 'ldsx': {
      const mode = insn.kind === 'ldx' ? MEM : MEMSX;
      put(writer, slot, LDX | mode | sizeOf(insn.size), reg(insn.dst), reg(insn.src), insn.off, 0);
      break;
    }
    case 'stx':
      put(writer, slot, STX | MEM | sizeOf(insn.size), reg(insn.dst), reg(insn.src), insn.off, 0);
      break;
    case 'st':
      put(writer, slot, ST | MEM | sizeOf(insn.size), reg(insn.dst), 0, insn.off, insn.imm);
      break;
    case 'atomic': {
      const imm = code(atomicCodes, insn.op, 'atomic operation') | (insn.fetch ? FETCH : 0);
      put(writer, slot, STX | ATOMIC | sizeOf(insn.size), reg(insn.dst), reg(insn.src), insn.off, imm);
      break;
    }
    case 'load_acquire':
    case 'store_release': {
      const imm = insn.kind === 'load_acquire' ? LOAD_ACQUIRE : STORE_RELEASE;
      put(writer, slot, STX | ATOMIC | sizeOf(insn.size), reg(insn.dst), reg(insn.src), insn.off, imm);
      break;
    }
    case 'lddw': {
      const [low, high] = wideImmediates(writer, slot, insn);
      put(writer, slot, LDDW, reg(insn.dst), lddwSources.indexOf(insn.source), 0, low);
      put(writer, slot + 1, 0, 0, 0, 0, high);
      break;
    }
    case 'ld_abs':
      put(writer, slot, LD | ABS | sizeOf(insn.size), 0, 0, 0, insn.imm);
      break;
    case 'ld_ind':
      put(writer, slot, LD | IND | sizeOf(insn.size), 0, insn.src ? reg(insn.src) : 0, 0, insn.imm);
      break;
    case 'raw':
      put(writer, slot, insn.opcode, insn.dst, insn.src, insn.off, insn.imm);
      break;
    case 'label':
      break;
    default:
      throw new InsnError('UNKNOWN_NAME', `'${(insn as { kind: string }).kind}' is not a kind of instruction`);
  }
}

/** The immediates of the two slots of a wide load. */
function wideImmediates(writer: Writer, slot: number, insn: LddwInsn): [low: number, high: number] {
  switch (insn.source) {
    case 'imm':
      return [Number(insn.imm & 0xffff_ffffn), Number(insn.imm >> 32n)];
    case 'map_fd':
      return [writer.mapFd(insn.map), 0];
    case 'map_value':
      return [writer.mapFd(insn.map), insn.off];
    case 'btf_id':
      return [insn.btfId, insn.btfFd];
    case 'func':
      return [writer.distance(insn.target, slot), 0];
    case 'map_idx':
      return [insn.index, 0];
    case 'map_idx_value':
      return [insn.index, insn.off];
    default:
      throw new InsnError('UNKNOWN_NAME', `'${(insn as { source: string }).source}' is not a source of lddw`);
  }
}

/** An instruction whose second operand is a register or an immediate. */
function putOperand(
  writer: Writer,
  slot: number,
  opcode: number,
  dst: Register,
  src: Register | number,
  off: number,
): void {
  if (typeof src === 'number') put(writer, slot, opcode, reg(dst), 0, off, src);
  else put(writer, slot, opcode | X, reg(dst), reg(src), off, 0);
}

function put(
  { view, littleEndian }: Writer,
  slot: number,
  opcode: number,
  dst: number,
  src: number,
  off: number,
  imm: number,
): void {
  const at = slot * SLOT_BYTES;
  // The fields of a slot are those of a C struct: in the other byte order the two registers change places as well.
  if (littleEndian) view.setUint32(at, opcode | (dst << 8) | (src << 12) | (off << 16), true);
  else view.setUint32(at, (opcode << 24) | (dst << 20) | (src << 16) | (off & 0xffff));
  view.setInt32(at + 4, imm, littleEndian);
}

/** The 16-bit offset of a jump. */
function short(writer: Writer, target: string | number, slot: number): number {
  const off = writer.distance(target, slot);
  if (off === (off << 16) >> 16) return off;
  throw new InsnError(
    'JUMP_RANGE',
    `the jump at slot ${slot} goes ${off} slots; it can go an integer in -32768..32767 (further with cpu: 'v4')`,
  );
}

/** The number of a register, read off its name. */
function reg(name: Register): number {
  const number = name.length === 2 ? name.charCodeAt(1) - 48 : 10;
  if (registers[number] === name) return number;
  throw new InsnError('UNKNOWN_NAME', `'${name}' is not a register; they are ${registers.join(' ')}`);
}

const sizeOf = (name: Size): number => code(sizeCodes, name, 'size');

/** Types refuse an unknown name; this is for programs that come from JavaScript. */
function code<Name extends string>(table: Readonly<Record<Name, number>>, name: Name, what: string): number {
  const value = table[name];
  if (typeof value === 'number') return value;
  throw new InsnError('UNKNOWN_NAME', `'${name}' is not a ${what}; they are ${Object.keys(table).join(' ')}`);
}
