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
  MAX_32,
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
import { find } from './find.ts';
import type { GotoInsn, Insn, JumpInsn, Program, Register, Size, Target } from './insn.ts';
import { flatten, layOut } from './layout.ts';
import { checkRange } from './range.ts';

export interface AssembleOptions {
  /** The file descriptor of each map that `ldMapFd` and `ldMapValue` name. */
  readonly maps?: Readonly<Record<string, number>>;
  /** The kernel's byte order; 'little' unless said otherwise. */
  readonly endian?: 'little' | 'big';
  /**
   * What the kernel's processor understands, in LLVM's words. With 'v4' (Linux 6.6) jumps to labels that are too far for
   * a 16-bit offset become `gotol`; with 'v3', the default, they are an error.
   */
  readonly cpu?: 'v3' | 'v4';
}

/**
 * Encodes a program: nested arrays are flattened, labels become offsets, named maps become file descriptors.
 *
 * @throws InsnError `LABEL_UNKNOWN`, `LABEL_DUPLICATE`, `JUMP_RANGE`, `MAP_UNKNOWN`, `UNKNOWN_NAME`
 * @example
 * ```ts
 * const bytes = assemble([mov('r0', 0), jeq('r1', 0, 'out'), mov('r0', 1), label('out'), exit()]);
 * ```
 */
export function assemble(program: Program, options: AssembleOptions = {}): Uint8Array {
  const insns = flatten(program);
  const { labels, slots } = layOut(insns);
  const maps = new Map(Object.entries(options.maps ?? {}));
  const littleEndian = options.endian !== 'big';
  const bytes = new Uint8Array(slots * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  /** What has to stand in place of jumps that are too far. */
  const longer = new Map<Insn, Insn | Program>();
  let slot = 0;

  const put = (opcode: number, dst: Register | number, src: Register | number, off: number, imm: number): void => {
    const at = slot * SLOT_BYTES;
    const low = reg(dst);
    const high = reg(src);
    view.setUint8(at, opcode);
    // These are bit fields in C, whose order is that of the bytes.
    view.setUint8(at + 1, littleEndian ? low | (high << 4) : (low << 4) | high);
    view.setInt16(at + 2, off, littleEndian);
    view.setInt32(at + 4, imm, littleEndian);
    slot++;
  };
  const reg = (name: Register | number): number => {
    if (typeof name === 'number') return name;
    const number = name.length === 2 ? name.charCodeAt(1) - 48 : 10;
    return registers[number] === name ? number : refuse('UNKNOWN_NAME', slot, `'${name}'`, 'a register, r0 to r10');
  };
  /** How far a target is from the slot after this one: at most `limit` slots. */
  const to = (target: Target, limit = MAX_32): number => {
    const off = typeof target === 'string' ? find(slot, labels, target, 'label', 'LABEL_UNKNOWN') - slot - 1 : target;
    return checkRange(slot, off, -1 - limit, limit, " slots; cpu: 'v4' has gotol", 'JUMP_RANGE');
  };
  const mapFd = (map?: string | number): number | undefined =>
    typeof map === 'string' ? find(slot, maps, map, 'map', 'MAP_UNKNOWN') : map;

  /** An instruction whose second operand is a register or an immediate. */
  const putOperand = (opcode: number, dst: Register | number, src: Register | number, off: number): void =>
    typeof src === 'number' ? put(opcode, dst, 0, off, src) : put(opcode | X, dst, src, off, 0);

  /** A jump of 16 bits; notes what has to stand in its place when that is too short. */
  const putJump = (insn: JumpInsn | GotoInsn, opcode: number, dst: Register | number, src: Register | number): void => {
    const { op, target } = insn;
    const off = to(target, options.cpu === 'v4' && typeof target === 'string' ? MAX_32 : 0x7fff);
    putOperand(opcode, dst, src, off);
    if (off === (off << 16) >> 16) return;
    const far: Insn = { kind: 'goto', op: 'gotol', target };
    // if c goto +1; goto +1; gotol far: not every condition has an opposite.
    longer.set(insn, op === 'ja' ? far : [{ ...insn, target: 1 }, { kind: 'goto', op: 'ja', target: 1 }, far]);
  };

  /** An instruction that loads or stores. */
  const putAccess = (opcode: number, { size, dst = 0, src = 0, off = 0 }: Access, imm: number): void =>
    put(opcode | find(slot, sizeCodes, size, 'size'), dst, src, off, imm);

  for (const insn of insns)
    switch (insn.kind) {
      case 'alu': {
        const code = find(slot, aluCodes, insn.op, 'operation');
        putOperand((insn.bits === 64 ? ALU64 : ALU) | code, insn.dst, insn.src, code >> 8);
        break;
      }
      case 'neg':
        put((insn.bits === 64 ? ALU64 : ALU) | NEG, insn.dst, 0, 0, 0);
        break;
      case 'movsx':
        put((insn.bits === 64 ? ALU64 : ALU) | MOV | X, insn.dst, insn.src, insn.from, 0);
        break;
      case 'end':
        put((insn.op === 'bswap' ? ALU64 : ALU) | END | (insn.op === 'be' ? X : 0), insn.dst, 0, 0, insn.width);
        break;
      case 'addr_space_cast':
        put(ALU64 | MOV | X, insn.dst, insn.src, 1, (insn.to << 16) | insn.from);
        break;
      case 'jump': {
        const code = find(slot, jumpCodes, insn.op, 'operation');
        putJump(insn, (insn.bits === 64 ? JMP : JMP32) | code, insn.dst, insn.src);
        break;
      }
      case 'goto':
        if (insn.op !== 'gotol') putJump(insn, insn.op === 'ja' ? JMP | JA : JCOND, 0, 0);
        else put(JMP32 | JA, 0, 0, 0, to(insn.target));
        break;
      case 'gotox':
        put(JMP | JA | X, insn.dst, 0, 0, 0);
        break;
      case 'call':
        put(CALL, 0, 0, 0, insn.helper);
        break;
      case 'call_kfunc':
        put(CALL, 0, PSEUDO_KFUNC_CALL, insn.fdIndex, insn.btfId);
        break;
      case 'call_subprog':
        put(CALL, 0, PSEUDO_CALL, 0, to(insn.target));
        break;
      case 'exit':
        put(EXIT, 0, 0, 0, 0);
        break;
      case 'ldx':
        putAccess(LDX | MEM, insn, 0);
        break;
      case 'ldsx':
        putAccess(LDX | MEMSX, insn, 0);
        break;
      case 'stx':
        putAccess(STX | MEM, insn, 0);
        break;
      case 'st':
        putAccess(ST | MEM, insn, insn.imm);
        break;
      case 'atomic':
        putAccess(STX | ATOMIC, insn, find(slot, atomicCodes, insn.op, 'operation') | Number(insn.fetch));
        break;
      case 'load_acquire':
        putAccess(STX | ATOMIC, insn, LOAD_ACQUIRE);
        break;
      case 'store_release':
        putAccess(STX | ATOMIC, insn, STORE_RELEASE);
        break;
      case 'ld_abs':
        putAccess(LD | ABS, insn, insn.imm);
        break;
      case 'ld_ind':
        putAccess(LD | IND, insn, insn.imm);
        break;
      case 'lddw': {
        const { index, btfId, target, map, off, btfFd, imm = 0n } = insn as WideFields;
        const low =
          index ?? btfId ?? mapFd(map) ?? (target === undefined ? Number(BigInt.asIntN(32, imm)) : to(target));
        put(LDDW, insn.dst, find(slot, lddwSources, insn.source, 'source'), 0, low);
        put(0, 0, 0, 0, off ?? btfFd ?? Number(BigInt.asIntN(32, imm >> 32n)));
        break;
      }
      case 'raw':
        put(insn.opcode, insn.dst, insn.src, insn.off, insn.imm);
        break;
      case 'label':
        break;
      default:
        refuse('UNKNOWN_NAME', slot, `'${(insn as { kind: string }).kind}'`, 'an instruction');
    }

  // What gets longer may push others out of reach.
  return longer.size
    ? assemble(
        insns.map((insn) => longer.get(insn) ?? insn),
        options,
      )
    : bytes;
}

/** The fields that loads and stores have in common; some lack one. */
interface Access {
  readonly size: Size;
  readonly dst?: Register | number;
  readonly src?: Register | number;
  readonly off?: number;
}

/** The fields of `lddw`, of which each source has some. */
interface WideFields {
  readonly imm?: bigint;
  readonly map?: string | number;
  readonly target?: Target;
  readonly index?: number;
  readonly btfId?: number;
  readonly btfFd?: number;
  readonly off?: number;
}
