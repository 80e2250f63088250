import { ldx, type Program, type Register, type Size, st, type WritableRegister } from '@bpf/insn';
import { FentryError } from './error.ts';
import { callHelper, checkStack, type Memory, memory } from './operands.ts';

const BPF_FUNC_probe_read_user = 112;
const BPF_FUNC_probe_read_kernel = 113;
const BPF_FUNC_probe_read_user_str = 114;
const BPF_FUNC_probe_read_kernel_str = 115;

const letters: Readonly<Record<number, Size>> = { 1: 'b', 2: 'h', 4: 'w', 8: 'dw' };

/**
 * Emits `dst = *(uN *)(src + offset)`: a field of a struct that `src` points to, when its offset is known. `readField` finds
 * offset, size and sign by the field's name. The kernel knows what struct an argument points to, and lets a program load
 * from there; it reads 0 where nothing is.
 *
 * @param size 1, 2, 4 or 8 bytes
 * @throws FentryError `FIELD_SIZE`
 */
export function readStructField(dst: WritableRegister, src: Register, offset: number, size: 1 | 2 | 4 | 8): Program {
  const letter = letters[size];
  if (letter === undefined)
    throw new FentryError('FIELD_SIZE', `readStructField: ${size} bytes are no load: there are 1, 2, 4 and 8`);
  return [ldx(letter, dst, src, offset)];
}

/**
 * Emits `memset(r10 + offset, 0, bytes)`, as one store for every 8 bytes; at odd ends, smaller ones.
 *
 * @throws FentryError `STACK_RANGE`
 */
export function zeroStack(offset: number, bytes: number): Program {
  checkStack('zeroStack', offset, bytes);
  const stores: Program[number][] = [];
  for (let at = offset; at < offset + bytes; ) {
    // The stack is written at multiples of what is written.
    const length = [8, 4, 2].find((length) => at % length === 0 && at + length <= offset + bytes) ?? 1;
    stores.push(st(letters[length] as Size, 'r10', at, 0));
    at += length;
  }
  return stores;
}

/**
 * Emits `bpf_probe_read_kernel(dst, size, src)`: copies kernel memory that may be gone, or that the kernel does not know the
 * type of: what a `void *` or `char *` argument points to. r0 is 0, or negative, and then the buffer is zeroed. Clobbers
 * r0 to r5. Linux 5.5.
 *
 * @param dst the buffer: a register that points to it, or its negative offset in the stack
 * @param size bytes: a number, or a register that the verifier knows the bounds of
 * @param src holds the address, whatever it is
 * @throws FentryError `STACK_RANGE`; `REGISTER_CLOBBERED` for operands that stand in each other's way
 */
export function probeReadKernel(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadKernel', BPF_FUNC_probe_read_kernel, dst, size, src);
}

/**
 * Emits `bpf_probe_read_kernel_str(dst, size, src)`: copies a string, cut to `size` bytes with its NUL. r0 is the length
 * with the NUL, or negative. The bytes behind the NUL stay as they were: {@link zeroStack} before. Clobbers r0 to r5.
 * Linux 5.5.
 *
 * @throws FentryError as {@link probeReadKernel}
 */
export function probeReadKernelStr(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadKernelStr', BPF_FUNC_probe_read_kernel_str, dst, size, src);
}

/**
 * Emits `bpf_probe_read_user(dst, size, src)`: copies memory of the process, for a `__user` argument. What is not in memory
 * at that moment is not read: r0 is -EFAULT then, and the buffer zeroed. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws FentryError as {@link probeReadKernel}
 */
export function probeReadUser(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadUser', BPF_FUNC_probe_read_user, dst, size, src);
}

/**
 * Emits `bpf_probe_read_user_str(dst, size, src)`: {@link probeReadKernelStr} from the memory of the process, for a path that
 * a system call got. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws FentryError as {@link probeReadKernel}
 * @example
 * ```ts
 * [zeroStack(-64, 64), probeReadUserStr(-64, 64, 'r6')]
 * ```
 */
export function probeReadUserStr(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadUserStr', BPF_FUNC_probe_read_user_str, dst, size, src);
}

function probeRead(what: string, helper: number, dst: Memory, size: Register | number, src: Register): Program {
  return callHelper(what, helper, [memory(what, dst, size), size, src]);
}
