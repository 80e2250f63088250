import { type LoadInsn, ldx, type Register, type WritableRegister } from '@bpf/insn';
import { IterError } from './error.ts';
import type { StructTypes } from './fields.ts';

/**
 * The byte offset of a field of `struct task_struct` on the kernel whose types these are; every build of a kernel has
 * others. For a field behind pointers there is `readField`.
 *
 * @throws IterError `FIELD_SIZE` for a field behind a pointer, or a bitfield; BtfError when there is no such field
 * @example
 * ```ts
 * taskFieldOffset(kernelBtf(), 'comm');
 * ```
 */
export function taskFieldOffset(types: Pick<StructTypes, 'access'>, path: string): number {
  const { pointers, offset, bitfield } = types.access('task_struct', path);
  if (pointers.length === 0 && !bitfield) return offset;
  throw new IterError('FIELD_SIZE', `'${path}' of 'task_struct' has no byte offset in it: use readField`);
}

/**
 * Emits `dst = task->pid`: what the kernel calls the PID is a thread's id, in user space the TID. See {@link taskLoadTgid}.
 *
 * @throws BtfError when the types have no task_struct
 */
export function taskLoadPid(types: Pick<StructTypes, 'access'>, task: Register, dst: WritableRegister): LoadInsn {
  return ldx('w', dst, task, taskFieldOffset(types, 'pid'));
}

/** Emits `dst = task->tgid`: what user space calls the PID. @throws BtfError when the types have no task_struct */
export function taskLoadTgid(types: Pick<StructTypes, 'access'>, task: Register, dst: WritableRegister): LoadInsn {
  return ldx('w', dst, task, taskFieldOffset(types, 'tgid'));
}
