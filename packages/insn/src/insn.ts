/**
 * The instruction model: plain objects, told apart by `kind`. Builders and `decode` make them, `assemble` turns them into
 * bytes.
 *
 * A basic instruction is one slot of 64 bits, a wide one (`lddw` in all its forms) is two (RFC 9669, section 3):
 *
 * ```text
 *   7       0 15  12 11   8 31                16 63                              32
 *  +---------+------+------+--------------------+----------------------------------+
 *  | opcode  | src  | dst  |      offset        |            immediate             |
 *  +---------+------+------+--------------------+----------------------------------+
 * ```
 */
export type Insn = (
  | AluInsn
  | NegInsn
  | MovsxInsn
  | EndInsn
  | AddrSpaceCastInsn
  | JumpInsn
  | GotoInsn
  | GotoxInsn
  | CallInsn
  | CallKfuncInsn
  | CallSubprogInsn
  | ExitInsn
  | LoadInsn
  | StoreInsn
  | StoreImmInsn
  | AtomicInsn
  | AcquireReleaseInsn
  | LddwInsn
  | PacketInsn
  | LabelInsn
  | RawInsn
) & {
  /** The call that made it, when sources are captured. */
  readonly at?: SourceLocation;
};

/** A program: instructions, in any nesting, so that builders can return several. */
export type Program = readonly (Insn | Program)[];

/** A register. `r10` is the frame pointer and read-only. */
export type Register = 'r0' | 'r1' | 'r2' | 'r3' | 'r4' | 'r5' | 'r6' | 'r7' | 'r8' | 'r9' | 'r10';

/** A register that an instruction may write: all but the frame pointer. */
export type WritableRegister = Exclude<Register, 'r10'>;

/** A memory access size, in the assembler's letters: byte (1), half word (2), word (4), double word (8 bytes). */
export type Size = 'b' | 'h' | 'w' | 'dw';

/** The width of an operation: the whole register, or its lower half, which zeroes the upper half of the result. */
export type Bits = 64 | 32;

export type AluOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'sdiv'
  | 'or'
  | 'and'
  | 'lsh'
  | 'rsh'
  | 'mod'
  | 'smod'
  | 'xor'
  | 'mov'
  | 'arsh';

export type JumpOp = 'jeq' | 'jgt' | 'jge' | 'jset' | 'jne' | 'jsgt' | 'jsge' | 'jlt' | 'jle' | 'jslt' | 'jsle';

export type AtomicOp = 'add' | 'or' | 'and' | 'xor' | 'xchg' | 'cmpxchg';

/** Where a jump or call goes: a label, or a number of slots counted from the next one. */
export type Target = string | number;

/** A place in a source file. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `dst op= src` */
export interface AluInsn {
  readonly kind: 'alu';
  readonly op: AluOp;
  readonly bits: Bits;
  readonly dst: Register;
  readonly src: Register | number;
}

/** `dst = -dst` */
export interface NegInsn {
  readonly kind: 'neg';
  readonly bits: Bits;
  readonly dst: Register;
}

/** `dst = (s8, s16 or s32)src` */
export interface MovsxInsn {
  readonly kind: 'movsx';
  readonly bits: Bits;
  readonly from: 8 | 16 | 32;
  readonly dst: Register;
  readonly src: Register;
}

/** Byte order: to big or little endian (truncating), or swapped whatever the host (`bswap`). */
export interface EndInsn {
  readonly kind: 'end';
  readonly op: 'be' | 'le' | 'bswap';
  readonly width: 16 | 32 | 64;
  readonly dst: Register;
}

/** `dst = addr_space_cast(src, to, from)`: an arena pointer between its kernel and user form. */
export interface AddrSpaceCastInsn {
  readonly kind: 'addr_space_cast';
  readonly dst: Register;
  readonly src: Register;
  readonly to: number;
  readonly from: number;
}

/** `if dst op src goto target` */
export interface JumpInsn {
  readonly kind: 'jump';
  readonly op: JumpOp;
  readonly bits: Bits;
  readonly dst: Register;
  readonly src: Register | number;
  readonly target: Target;
}

/** `goto target`: with a 16-bit offset, a 32-bit one (`gotol`), or not for ever (`may_goto`). */
export interface GotoInsn {
  readonly kind: 'goto';
  readonly op: 'ja' | 'gotol' | 'may_goto';
  readonly target: Target;
}

/** `gotox dst`: to the address that a jump table holds. */
export interface GotoxInsn {
  readonly kind: 'gotox';
  readonly dst: Register;
}

/** `call helper`, by its number in `enum bpf_func_id` */
export interface CallInsn {
  readonly kind: 'call';
  readonly helper: number;
}

/** A call of a kernel function by its BTF id; `fdIndex` is 0 for vmlinux, else a module's place in fd_array. */
export interface CallKfuncInsn {
  readonly kind: 'call_kfunc';
  readonly btfId: number;
  readonly fdIndex: number;
}

/** A call of a function of the same program. */
export interface CallSubprogInsn {
  readonly kind: 'call_subprog';
  readonly target: Target;
}

export interface ExitInsn {
  readonly kind: 'exit';
}

/** `dst = *(size *)(src + off)`, zero-extended, or sign-extended (`ldsx`) */
export interface LoadInsn {
  readonly kind: 'ldx' | 'ldsx';
  readonly size: Size;
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

/** `*(size *)(dst + off) = src` */
export interface StoreInsn {
  readonly kind: 'stx';
  readonly size: Size;
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

/** `*(size *)(dst + off) = imm` */
export interface StoreImmInsn {
  readonly kind: 'st';
  readonly size: Size;
  readonly dst: Register;
  readonly off: number;
  readonly imm: number;
}

/** An atomic operation on `*(size *)(dst + off)`; with `fetch` it leaves the old value in src, `cmpxchg` in r0. */
export interface AtomicInsn {
  readonly kind: 'atomic';
  readonly op: AtomicOp;
  readonly fetch: boolean;
  readonly size: 'w' | 'dw';
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

/** `dst = load_acquire((size *)(src + off))` and `store_release((size *)(dst + off), src)` */
export interface AcquireReleaseInsn {
  readonly kind: 'load_acquire' | 'store_release';
  readonly size: Size;
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

/** The wide load: a 64-bit constant, or an address that the kernel puts there. */
export type LddwInsn = { readonly kind: 'lddw'; readonly dst: Register } & (
  | { readonly source: 'imm'; readonly imm: bigint }
  /** A map, by its file descriptor or a name. */
  | { readonly source: 'map_fd'; readonly map: string | number }
  /** A byte of the value of a map that has one value, by its file descriptor or a name. */
  | { readonly source: 'map_value'; readonly map: string | number; readonly off: number }
  /** A kernel variable by its BTF id; `btfFd` is 0 for vmlinux, else a module's BTF. */
  | { readonly source: 'btf_id'; readonly btfId: number; readonly btfFd: number }
  /** A function of the same program, for helpers that call back. */
  | { readonly source: 'func'; readonly target: Target }
  /** A map, by its place in fd_array. */
  | { readonly source: 'map_idx'; readonly index: number }
  /** A byte of the value of a map, by its place in fd_array. */
  | { readonly source: 'map_idx_value'; readonly index: number; readonly off: number }
);

/** The packet loads of classic BPF: `r0 = *(size *)skb[imm]`, or `[src + imm]` */
export interface PacketInsn {
  readonly kind: 'ld_abs' | 'ld_ind';
  readonly size: Exclude<Size, 'dw'>;
  /** Of `ld_ind`. */
  readonly src?: Register;
  readonly imm: number;
}

/** Names the next instruction. Takes no slot. */
export interface LabelInsn {
  readonly kind: 'label';
  readonly name: string;
}

/** A slot that is no instruction known here: its fields as they are. */
export interface RawInsn {
  readonly kind: 'raw';
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}
