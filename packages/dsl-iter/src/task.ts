import { DslError, type StructTypes } from '@bpf/dsl';
import { type LoadInsn, ldx, type Register, type WritableRegister } from '@bpf/insn';

/**
 * The byte offset of a field of `struct task_struct` on the kernel whose types these are; every build of a kernel has
 * others. For a field behind pointers there is `readField`.
 *
 * @throws DslError `FIELD_SIZE` for a field behind a pointer, or a bitfield; BtfError when there is no such field
 * @example
 * ```ts
 * taskFieldOffset(kernelBtf(), 'comm');
 * ```
 */
export function taskFieldOffset(types: Pick<StructTypes, 'access'>, path: string): number {
  const { pointers, offset, bitfield } = types.access('task_struct', path);
  if (pointers.length === 0 && !bitfield) return offset;
  throw new DslError('FIELD_SIZE', `'${path}' of 'task_struct' has no byte offset in it: use readField`);
}

/**
 * Emits `dst = task->pid`: what the kernel calls the PID is a thread's id, in user space the TID. See {@link taskLoadTgid}.
 *
 * @throws BtfError when the types have no task_struct
 * @example
 * ```ts
 * [loadOrExit(ctx, 'r7', 'task'), taskLoadPid(btf, 'r7', 'r8')]
 * ```
 */
export function taskLoadPid(types: Pick<StructTypes, 'access'>, task: Register, dst: WritableRegister): LoadInsn {
  return ldx('w', dst, task, taskFieldOffset(types, 'pid'));
}

/**
 * Emits `dst = task->tgid`: what user space calls the PID.
 *
 * @throws BtfError when the types have no task_struct
 * @example
 * ```ts
 * [taskLoadTgid(btf, 'r7', 'r8'), jne('r8', process.pid, 'another')]
 * ```
 */
export function taskLoadTgid(types: Pick<StructTypes, 'access'>, task: Register, dst: WritableRegister): LoadInsn {
  return ldx('w', dst, task, taskFieldOffset(types, 'tgid'));
}
