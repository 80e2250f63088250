import { MEM, registers, ST, sizeCodes } from '../codes.ts';
import type { AtomicInsn, Bits, Insn, LddwInsn, Program, Register, Size, Target } from '../insn.ts';
import { flatten } from '../layout.ts';
import { storeLimits } from '../range.ts';
import { withLabels } from './labels.ts';
import { aluSigns, type HelperNames, jumpSigns, nameText, typeOf } from './syntax.ts';

export interface FormatOptions {
  /** Prints helpers by name (`call bpf_ktime_get_ns`), which otherwise are numbers (`call 5`). */
  readonly helpers?: HelperNames;
  /** Prints labels in place of numeric targets, as `L5` for slot 5; otherwise targets stay what they are. */
  readonly labels?: boolean;
}

/**
 * Prints a program, one instruction a line, in the syntax that the kernel's verifier and LLVM share. `parse` reads it back
 * to the same instructions; with `labels`, to instructions that assemble to the same bytes.
 *
 * @example
 * ```ts
 * format([jeq('r1', 0, 'out'), mov('r0', 1), label('out'), exit()]);
 * //   if r1 == 0 goto out
 * //   r0 = 1
 * // out:
 * //   exit
 * ```
 */
export function format(program: Program, options: FormatOptions = {}): string {
  const { helpers } = options;
  const flat = flatten(program);
  const insns = options.labels ? withLabels(flat) : flat;
  const indent = insns.some(({ kind }) => kind === 'label') ? '  ' : '';
  return insns.map((insn) => (insn.kind === 'label' ? '' : indent) + write(insn, helpers)).join('\n');
}

/**
 * Prints one instruction: a line of {@link format}, without its indentation.
 *
 * @example
 * ```ts
 * formatInsn(ldx('w', 'r0', 'r1', 4)); // 'r0 = *(u32 *)(r1 + 4)'
 * ```
 */
export function formatInsn(insn: Insn, options: Omit<FormatOptions, 'labels'> = {}): string {
  return write(insn, options.helpers);
}

function write(insn: Insn, helpers: HelperNames | undefined): string {
  switch (insn.kind) {
    case 'alu':
      return `${reg(insn.dst, insn.bits)} ${aluSigns[insn.op]} ${operand(insn.src, insn.bits)}`;
    case 'neg':
      return `${reg(insn.dst, insn.bits)} = -${reg(insn.dst, insn.bits)}`;
    case 'movsx':
      return `${reg(insn.dst, insn.bits)} = (s${insn.from})${reg(insn.src, insn.bits)}`;
    case 'end':
      return `${insn.dst} = ${insn.op}${insn.width} ${insn.dst}`;
    case 'addr_space_cast':
      return `${insn.dst} = addr_space_cast(${insn.src}, ${insn.to}, ${insn.from})`;
    case 'jump': {
      const condition = `${reg(insn.dst, insn.bits)} ${jumpSigns[insn.op]} ${operand(insn.src, insn.bits)}`;
      return `if ${condition} goto ${target(insn.target)}`;
    }
    case 'goto':
      return `${insn.op === 'ja' ? 'goto' : insn.op} ${target(insn.target)}`;
    case 'gotox':
      return `gotox ${insn.dst}`;
    case 'call':
      return `call ${helpers?.helperName(insn.helper) ?? insn.helper}`;
    case 'call_kfunc':
      return `call kfunc[${insn.btfId}]${insn.fdIndex ? `[${insn.fdIndex}]` : ''}`;
    case 'call_subprog':
      return `call ${typeof insn.target === 'number' ? `pc${signed(insn.target)}` : label(insn.target, helpers)}`;
    case 'exit':
      return 'exit';
    case 'ldx':
      return `${insn.dst} = *${place(typeOf(insn.size), insn.src, insn.off)}`;
    case 'ldsx':
      return `${insn.dst} = *${place(typeOf(insn.size, 's'), insn.src, insn.off)}`;
    case 'stx':
      return `*${place(typeOf(insn.size), insn.dst, insn.off)} = ${insn.src}`;
    case 'st': {
      const { size, dst, off, imm } = insn;
      const { min, max } = storeLimits[size];
      // Bits that the store has no room for, which only decoding brings here.
      if (imm < min || imm > max)
        return raw(ST | MEM | (sizeCodes.get(size) ?? 0), registers.indexOf(dst), 0, off, imm);
      return `*${place(typeOf(size), dst, off)} = ${imm}`;
    }
    case 'atomic':
      return atomic(insn);
    case 'load_acquire':
      return `${value(insn.dst, insn.size)} = load_acquire(${place(typeOf(insn.size), insn.src, insn.off)})`;
    case 'store_release':
      return `store_release(${place(typeOf(insn.size), insn.dst, insn.off)}, ${value(insn.src, insn.size)})`;
    case 'lddw':
      return `${insn.dst} = ${wide(insn)} ll`;
    case 'ld_abs':
      return `r0 = *(${typeOf(insn.size)} *)skb[${insn.imm}]`;
    case 'ld_ind':
      return `r0 = *(${typeOf(insn.size)} *)skb[${insn.src ?? 'r0'}${insn.imm ? offset(insn.imm) : ''}]`;
    case 'label':
      return `${label(insn.name, helpers)}:`;
    case 'raw':
      return raw(insn.opcode, insn.dst, insn.src, insn.off, insn.imm);
  }
}

/** A register, or its lower half. */
function reg(register: Register, bits: Bits): string {
  return bits === 32 ? `w${register.slice(1)}` : register;
}

function operand(src: Register | number, bits: Bits): string | number {
  return typeof src === 'number' ? src : reg(src, bits);
}

/** A register that an atomic operation moves: the lower half for less than 64 bits, as LLVM has it. */
function value(register: Register, size: Size): string {
  return reg(register, size === 'dw' ? 64 : 32);
}

/** `(u32 *)(r1 + 4)` */
function place(type: string, base: Register, off: number): string {
  return `(${type} *)(${base}${offset(off)})`;
}

function offset(off: number): string {
  return off < 0 ? ` - ${-off}` : ` + ${off}`;
}

function target(to: Target): string {
  return typeof to === 'number' ? signed(to) : nameText(to);
}

function signed(number: number): string {
  return number < 0 ? `${number}` : `+${number}`;
}

/** In quotes, a name is never that of a helper. */
function label(name: string, helpers: HelperNames | undefined): string {
  return helpers?.helperId(name) === undefined ? nameText(name) : JSON.stringify(name);
}

function atomic({ op, fetch, size, dst, src, off }: AtomicInsn): string {
  const register = value(src, size);
  switch (op) {
    case 'xchg':
      return `${register} = xchg${size === 'dw' ? '_64' : '32_32'}(${dst}${offset(off)}, ${register})`;
    case 'cmpxchg':
      return size === 'dw'
        ? `r0 = cmpxchg_64(${dst}${offset(off)}, r0, ${register})`
        : `w0 = cmpxchg32_32(${dst}${offset(off)}, w0, ${register})`;
    default: {
      const memory = place(typeOf(size), dst, off);
      return fetch
        ? `${register} = atomic_fetch_${op}(${memory}, ${register})`
        : `lock *${memory} ${aluSigns[op]} ${register}`;
    }
  }
}

function wide(insn: LddwInsn): string {
  switch (insn.source) {
    case 'imm':
      return `0x${insn.imm.toString(16)}`;
    case 'map_fd':
      return `map_fd[${map(insn.map)}]`;
    case 'map_value':
      return `map_value[${map(insn.map)}][${insn.off}]`;
    case 'btf_id':
      return `btf_id[${insn.btfId}]${insn.btfFd ? `[${insn.btfFd}]` : ''}`;
    case 'func':
      return `func[${target(insn.target)}]`;
    case 'map_idx':
      return `map_idx[${insn.index}]`;
    case 'map_idx_value':
      return `map_idx_value[${insn.index}][${insn.off}]`;
  }
}

function map(name: string | number): string | number {
  return typeof name === 'number' ? name : nameText(name);
}

/** The fields in the order of the kernel's BPF_RAW_INSN. */
function raw(...[opcode, ...rest]: [opcode: number, dst: number, src: number, off: number, imm: number]): string {
  return `.raw 0x${opcode.toString(16).padStart(2, '0')}, ${rest.join(', ')}`;
}
