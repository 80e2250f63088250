import { ldx, type Program, type Register, type WritableRegister } from '@bpf/insn';
import { callHelper, type Memory } from './call.ts';
import { DslError } from './error.ts';
import { sizeLetters } from './stack.ts';

const BPF_FUNC_probe_read_user = 112;
const BPF_FUNC_probe_read_kernel = 113;
const BPF_FUNC_probe_read_user_str = 114;
const BPF_FUNC_probe_read_kernel_str = 115;

/**
 * Emits `dst = *(uN *)(src + offset)`: a field of a struct that `src` points to, when its offset is known. `readField` finds
 * offset, size and sign by the field's name. The kernel knows what struct an argument or an element points to, and lets a
 * program load from there; it reads 0 where nothing is. Clobbers nothing but dst.
 *
 * @param size 1, 2, 4 or 8 bytes
 * @throws DslError `FIELD_SIZE`
 * @example
 * ```ts
 * readStructField('r8', 'r7', btf.member('task_struct', 'pid').offset, 4)
 * ```
 */
export function readStructField(dst: WritableRegister, src: Register, offset: number, size: 1 | 2 | 4 | 8): Program {
  const letter = sizeLetters[size];
  if (letter === undefined)
    throw new DslError('FIELD_SIZE', `readStructField: ${size} bytes are no load: there are 1, 2, 4 and 8`);
  return [ldx(letter, dst, src, offset)];
}

/**
 * Emits `bpf_probe_read_kernel(dst, size, src)`: copies kernel memory that may be gone, or that the kernel does not know the
 * type of: what a `void *` or `char *` points to. r0 is 0, or negative, and then the buffer is zeroed. Clobbers r0 to r5.
 * Linux 5.5.
 *
 * @param dst the buffer: a register that points to it, or its negative offset in the stack
 * @param size bytes: a number, or a register that the verifier knows the bounds of
 * @param src holds the address, whatever it is
 * @throws DslError `STACK_RANGE`; `REGISTER_CLOBBERED` for operands that stand in each other's way
 * @example
 * ```ts
 * [probeReadKernel(-8, 8, 'r7')] // *(u64 *)r7 to the stack
 * ```
 */
export function probeReadKernel(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadKernel', BPF_FUNC_probe_read_kernel, dst, size, src);
}

/**
 * Emits `bpf_probe_read_kernel_str(dst, size, src)`: copies a string, cut to `size` bytes with its NUL. r0 is the length
 * with the NUL, or negative, and then the buffer is zeroed. The bytes behind the NUL stay as they were: zero the buffer
 * before, or the end of an earlier, longer string is in there still. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws DslError as {@link probeReadKernel}
 * @example
 * ```ts
 * [zeroStack(-64, 64), probeReadKernelStr(-64, 64, 'r7')]
 * ```
 */
export function probeReadKernelStr(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadKernelStr', BPF_FUNC_probe_read_kernel_str, dst, size, src);
}

/**
 * Emits `bpf_probe_read_user(dst, size, src)`: copies memory of the process, for a `__user` argument. What is not in memory
 * at that moment is not read: r0 is -EFAULT then, and the buffer zeroed. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws DslError as {@link probeReadKernel}
 * @example
 * ```ts
 * [probeReadUser(-16, 16, 'r7')] // a struct that a system call got
 * ```
 */
export function probeReadUser(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadUser', BPF_FUNC_probe_read_user, dst, size, src);
}

/**
 * Emits `bpf_probe_read_user_str(dst, size, src)`: {@link probeReadKernelStr} from the memory of the process, for a path that
 * a system call got. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws DslError as {@link probeReadKernel}
 * @example
 * ```ts
 * [zeroStack(-64, 64), probeReadUserStr(-64, 64, 'r6')]
 * ```
 */
export function probeReadUserStr(dst: Memory, size: Register | number, src: Register): Program {
  return probeRead('probeReadUserStr', BPF_FUNC_probe_read_user_str, dst, size, src);
}

function probeRead(what: string, helper: number, dst: Memory, size: Register | number, src: Register): Program {
  return callHelper(what, helper, [{ memory: dst, bytes: size }, size, src]);
}
