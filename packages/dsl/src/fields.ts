import type { Btf } from '@bpf/btf';
import {
  add,
  arsh,
  ja,
  jeq,
  label,
  ldx,
  lsh,
  mov,
  type Program,
  type Register,
  rsh,
  type WritableRegister,
} from '@bpf/insn';
import { block } from './block.ts';
import type { SavedRegister } from './call.ts';
import { DslError } from './error.ts';
import { probeReadKernel, probeReadKernelStr } from './memory.ts';
import { checkStack, sizeLetters, zeroStack } from './stack.ts';

/** What is asked of the kernel's types about structs: a `Btf` answers it. */
export type StructTypes = Pick<Btf, 'access' | 'find' | 'resolve' | 'type'>;

/** A register that points to a struct of the kernel. */
export interface StructPtr {
  readonly types: StructTypes;
  /** Its name, or its BTF id. */
  readonly struct: string | number;
  readonly reg: Register;
}

/**
 * Says what a register points to, so that fields are found by their names. Emits nothing. The register is one that helper
 * calls leave alone. Where it may be NULL, it was checked before.
 *
 * @example
 * ```ts
 * const task = structPtr(btf, 'task_struct', 'r7');
 * readField(task, 'r8', 'real_parent.tgid');
 * ```
 */
export function structPtr(types: StructTypes, struct: string | number, reg: SavedRegister): StructPtr {
  return { types, struct, reg };
}

/**
 * Emits `dst = ptr->path`: one load for each pointer on the way, and one for the field, which is extended to 64 bits by its
 * sign when it has one; bitfields are cut out. Behind a pointer that is NULL or no longer good, it reads 0. Clobbers
 * nothing but dst.
 *
 * @param path as `Btf.access` takes it: through embedded and anonymous structs, arrays and pointers
 * @throws DslError `FIELD_SIZE` for a field that a register does not hold: see {@link copyField} and {@link readString};
 *   BtfError when there is no such field
 * @example
 * ```ts
 * readField(structPtr(btf, 'task_struct', 'r7'), 'r8', 'real_parent.tgid') // r8 = r7->real_parent->tgid
 * ```
 */
export function readField(ptr: StructPtr, dst: WritableRegister, path: string): Program {
  const { pointers, offset, size, typeId, bitfield } = ptr.types.access(ptr.struct, path);
  const letter = isScalar(ptr.types, typeId) ? sizeLetters[size] : undefined;
  if (letter === undefined)
    throw new DslError(
      'FIELD_SIZE',
      `'${path}' of '${nameOf(ptr)}' is no number or pointer: copyField and readString put its ${size} bytes into the stack`,
    );
  const bits = bitfield ?? { offset: 0, size: size * 8 };
  const signed = isSigned(ptr.types, typeId);
  const cut = bits.size < 64 && (bitfield !== undefined || signed);
  return follow(pointers, ptr.reg, dst, (base) => [
    ldx(letter, dst, base, offset),
    cut ? [lsh(dst, 64 - bits.offset - bits.size), (signed ? arsh : rsh)(dst, 64 - bits.size)] : [],
  ]);
}

/**
 * Emits `bpf_probe_read_kernel(r10 + at, size, &ptr->path)`: copies a field of any size into the stack. r0 is 0, or
 * negative, and then the bytes are 0: behind a pointer that is NULL, for one. Clobbers r0 to r5.
 *
 * @param size bytes, all of the field unless told
 * @throws DslError `STACK_RANGE`, `FIELD_SIZE` for more bytes than the field has, or a bitfield; BtfError
 * @example
 * ```ts
 * copyField(structPtr(btf, 'sock_common', 'r7'), 'skc_v6_daddr', -16)
 * ```
 */
export function copyField(ptr: StructPtr, path: string, at: number, size?: number): Program {
  const { size: whole, bitfield } = ptr.types.access(ptr.struct, path);
  const bytes = size ?? whole;
  if (bitfield || bytes > whole || bytes < 1)
    throw new DslError(
      'FIELD_SIZE',
      `'${path}' of '${nameOf(ptr)}' has ${bitfield ? `${bitfield.size} bits` : `${whole} bytes`}: ${bytes} bytes cannot be copied`,
    );
  return [addressOf(ptr, path, 'r3'), probeReadKernel(at, bytes, 'r3')];
}

/**
 * Emits `memset(r10 + at, 0, size); bpf_probe_read_kernel_str(r10 + at, size, ptr->path)`: copies a string, which is an
 * array of characters or behind a pointer, into the stack, cut to `size` bytes with its NUL. r0 is its length with
 * the NUL, or negative. Clobbers r0 to r5.
 *
 * @throws DslError `STACK_RANGE`, `FIELD_SIZE` for a field that is neither; BtfError
 * @example
 * ```ts
 * readString(structPtr(btf, 'file', 'r7'), 'f_path.dentry.d_name.name', -64, 64)
 * ```
 */
export function readString(ptr: StructPtr, path: string, at: number, size: number): Program {
  checkStack('readString', at, size);
  const kind = kindOf(ptr.types, ptr.types.access(ptr.struct, path).typeId);
  if (kind !== 'ptr' && kind !== 'array')
    throw new DslError('FIELD_SIZE', `'${path}' of '${nameOf(ptr)}' is no string: its type is ${kind}`);
  const address = kind === 'ptr' ? readField(ptr, 'r3', path) : addressOf(ptr, path, 'r3');
  return [address, zeroStack(at, size), probeReadKernelStr(at, size, 'r3')];
}

/** Emits `dst = &ptr->path`, or 0 behind a pointer that is NULL. */
function addressOf(ptr: StructPtr, path: string, dst: WritableRegister): Program {
  const { pointers, offset } = ptr.types.access(ptr.struct, path);
  return follow(pointers, ptr.reg, dst, (base) => [
    base === dst ? [] : mov(dst, base),
    offset === 0 ? [] : add(dst, offset),
  ]);
}

/**
 * Goes from pointer to pointer. Each is checked: newer kernels want that for some, and in a register that is not checked
 * there would still be a pointer where NULL is to read as the number 0.
 */
function follow(
  pointers: readonly number[],
  src: Register,
  dst: WritableRegister,
  last: (base: Register) => Program,
): Program {
  if (pointers.length === 0) return last(src);
  return block([
    ...pointers.flatMap((offset, i) => [ldx('dw', dst, i === 0 ? src : dst, offset), jeq(dst, 0, 'null')]),
    last(dst),
    ja('done'),
    label('null'),
    mov(dst, 0),
    label('done'),
  ]);
}

export function isScalar(types: StructTypes, typeId: number): boolean {
  return ['int', 'enum', 'enum64', 'ptr'].includes(kindOf(types, typeId));
}

function kindOf(types: StructTypes, typeId: number): string {
  return types.type(types.resolve(typeId)).kind;
}

function isSigned(types: StructTypes, typeId: number): boolean {
  const type = types.type(types.resolve(typeId));
  if (type.kind === 'int') return type.encoding === 'signed';
  return (type.kind === 'enum' || type.kind === 'enum64') && type.signed;
}

/** The name of the struct, for errors. */
export function nameOf({ types, struct }: StructPtr): string {
  return typeof struct === 'number' ? types.type(struct).name : struct;
}
