/**
 * The instruction model. Builders return these plain objects, `assemble` turns them into bytes.
 *
 * A basic instruction is one slot of 64 bits, a wide one (`lddw`, `ldMapFd`) is two (RFC 9669, section 3):
 *
 * ```text
 *   7       0 15  12 11   8 31                16 63                              32
 *  +---------+------+------+--------------------+----------------------------------+
 *  | opcode  | src  | dst  |      offset        |            immediate             |
 *  +---------+------+------+--------------------+----------------------------------+
 * ```
 */
export type Insn =
  | AluInsn
  | JumpInsn
  | CallInsn
  | ExitInsn
  | LoadInsn
  | StoreInsn
  | StoreImmInsn
  | AtomicAddInsn
  | Lddw
  | LabelInsn;

/** A program: instructions, in any nesting, so that builders can return several. */
export type Program = readonly (Insn | Program)[];

/** A register. `r10` is the frame pointer and read-only. */
export type Register = 'r0' | 'r1' | 'r2' | 'r3' | 'r4' | 'r5' | 'r6' | 'r7' | 'r8' | 'r9' | 'r10';

/** A register that an instruction may write: all but the frame pointer. */
export type WritableRegister = Exclude<Register, 'r10'>;

/** A memory access size, in the assembler's letters: byte (1), half word (2), word (4), double word (8 bytes). */
export type Size = 'b' | 'h' | 'w' | 'dw';

export type AluOp = 'add' | 'sub' | 'mul' | 'div' | 'or' | 'and' | 'lsh' | 'rsh' | 'mod' | 'xor' | 'mov' | 'arsh';

export type JumpOp = 'jeq' | 'jgt' | 'jge' | 'jset' | 'jne' | 'jsgt' | 'jsge' | 'jlt' | 'jle' | 'jslt' | 'jsle';

/** Where a jump goes: a label, or a number of slots counted from the next instruction. */
export type Target = string | number;

export interface AluInsn {
  readonly kind: 'alu';
  readonly op: AluOp;
  readonly dst: WritableRegister;
  readonly src: Register | number;
}

export type JumpInsn =
  | { readonly kind: 'jump'; readonly op: 'ja'; readonly target: Target }
  | {
      readonly kind: 'jump';
      readonly op: JumpOp;
      readonly dst: Register;
      readonly src: Register | number;
      readonly target: Target;
    };

export interface CallInsn {
  readonly kind: 'call';
  readonly helper: number;
}

export interface ExitInsn {
  readonly kind: 'exit';
}

export interface LoadInsn {
  readonly kind: 'ldx';
  readonly size: Size;
  readonly dst: WritableRegister;
  readonly src: Register;
  readonly off: number;
}

export interface StoreInsn {
  readonly kind: 'stx';
  readonly size: Size;
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

export interface StoreImmInsn {
  readonly kind: 'st';
  readonly size: Size;
  readonly dst: Register;
  readonly off: number;
  readonly imm: number;
}

export interface AtomicAddInsn {
  readonly kind: 'atomicAdd';
  readonly size: 'w' | 'dw';
  readonly dst: Register;
  readonly src: Register;
  readonly off: number;
}

/** The wide load: a 64-bit constant, or a map that is named or given by its fd. */
export type Lddw =
  | { readonly kind: 'lddw'; readonly dst: WritableRegister; readonly imm: bigint }
  | { readonly kind: 'lddw'; readonly dst: WritableRegister; readonly map: string | number };

export interface LabelInsn {
  readonly kind: 'label';
  readonly name: string;
}
