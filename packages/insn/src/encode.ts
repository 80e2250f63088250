import { InsnError } from './error.ts';
import type { AluOp, Insn, JumpOp, Register, Size, Target } from './insn.ts';

/** Bytes in an instruction slot. */
export const SLOT_BYTES = 8;

/** What an instruction's bytes depend on besides itself. */
export interface Resolver {
  /** The offset field of a jump at this slot. */
  jumpOffset(target: Target, slot: number): number;
  /** The file descriptor of a map. */
  mapFd(map: string | number): number;
}

/** The number of slots that an instruction takes. */
export function slotsOf(insn: Insn): 0 | 1 | 2 {
  return insn.kind === 'label' ? 0 : insn.kind === 'lddw' ? 2 : 1;
}

const ALU64 = 0x07;
const JMP = 0x05;
const LDX_MEM = 0x61;
const ST_MEM = 0x62;
const STX_MEM = 0x63;
const STX_ATOMIC = 0xc3;
const LDDW = 0x18;
const CALL = 0x85;
const EXIT = 0x95;
/** The source operand bit: set when the operand is a register. */
const X = 0x08;
const PSEUDO_MAP_FD = 1;

const aluOps: Readonly<Record<AluOp, number>> = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
};

const jumpOps: Readonly<Record<JumpOp | 'ja', number>> = {
  ja: 0x00,
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

const sizes: Readonly<Record<Size, number>> = { w: 0x00, h: 0x08, b: 0x10, dw: 0x18 };

/** Writes an instruction at a slot of zeroed memory, little-endian. */
export function encode(view: DataView, slot: number, insn: Insn, resolver: Resolver): void {
  const at = slot * SLOT_BYTES;
  switch (insn.kind) {
    case 'label':
      break;
    case 'exit':
      put(view, at, EXIT, 0, 0, 0, 0);
      break;
    case 'call':
      put(view, at, CALL, 0, 0, 0, insn.helper);
      break;
    case 'alu':
      putOperand(view, at, ALU64 | bits(aluOps, insn.op, 'arithmetic operation'), insn.dst, insn.src, 0);
      break;
    case 'jump': {
      const opcode = JMP | bits(jumpOps, insn.op, 'jump');
      const off = resolver.jumpOffset(insn.target, slot);
      if (insn.op === 'ja') put(view, at, opcode, 0, 0, off, 0);
      else putOperand(view, at, opcode, insn.dst, insn.src, off);
      break;
    }
    case 'ldx':
      put(view, at, LDX_MEM | size(insn.size), reg(insn.dst), reg(insn.src), insn.off, 0);
      break;
    case 'stx':
      put(view, at, STX_MEM | size(insn.size), reg(insn.dst), reg(insn.src), insn.off, 0);
      break;
    case 'st':
      put(view, at, ST_MEM | size(insn.size), reg(insn.dst), 0, insn.off, insn.imm);
      break;
    case 'atomicAdd':
      put(view, at, STX_ATOMIC | size(insn.size), reg(insn.dst), reg(insn.src), insn.off, 0);
      break;
    case 'lddw':
      if ('map' in insn) {
        put(view, at, LDDW, reg(insn.dst), PSEUDO_MAP_FD, 0, resolver.mapFd(insn.map));
      } else {
        put(view, at, LDDW, reg(insn.dst), 0, 0, Number(BigInt.asIntN(32, insn.imm)));
        put(view, at + SLOT_BYTES, 0, 0, 0, 0, Number(BigInt.asIntN(32, insn.imm >> 32n)));
      }
      break;
    default:
      throw new InsnError('UNKNOWN_NAME', `'${(insn as { kind: string }).kind}' is not a kind of instruction`);
  }
}

/** An instruction whose second operand is a register or an immediate. */
function putOperand(
  view: DataView,
  at: number,
  opcode: number,
  dst: Register,
  src: Register | number,
  off: number,
): void {
  if (typeof src === 'number') put(view, at, opcode, reg(dst), 0, off, src);
  else put(view, at, opcode | X, reg(dst), reg(src), off, 0);
}

function put(view: DataView, at: number, opcode: number, dst: number, src: number, off: number, imm: number): void {
  view.setUint8(at, opcode);
  view.setUint8(at + 1, (src << 4) | dst);
  view.setInt16(at + 2, off, true);
  view.setInt32(at + 4, imm, true);
}

const registers: Readonly<Record<Register, number>> = {
  r0: 0,
  r1: 1,
  r2: 2,
  r3: 3,
  r4: 4,
  r5: 5,
  r6: 6,
  r7: 7,
  r8: 8,
  r9: 9,
  r10: 10,
};

const reg = (name: Register): number => bits(registers, name, 'register');
const size = (name: Size): number => bits(sizes, name, 'size');

/** Types refuse an unknown name; this is for programs that come from JavaScript. */
function bits<Name extends string>(table: Readonly<Record<Name, number>>, name: Name, what: string): number {
  if (Object.hasOwn(table, name)) return table[name];
  throw new InsnError('UNKNOWN_NAME', `'${name}' is not a ${what}; they are ${Object.keys(table).join(' ')}`);
}
