import { add, mov, type Program, type Register, type Size, st, type WritableRegister } from '@bpf/insn';
import { iterHelperIds } from './helpers.ts';
import { callHelper, checkStack, memory } from './operands.ts';

/**
 * Emits `dst = r10 + offset`: the address of a buffer in the stack; with `bytes`, zeroes it before. What was never
 * written may hold what other programs left there: Linux 5.10 refuses to write it out, newer kernels hand it over.
 *
 * @throws IterError `STACK_RANGE`
 * @example
 * ```ts
 * [allocStackBuffer('r9', -32, 32), probeReadKernelStr('r9', 32, 'r7')]
 * ```
 */
export function allocStackBuffer(dst: WritableRegister, offset: number, bytes = 0): Program {
  checkStack('allocStackBuffer', offset, bytes);
  return [zeroStack(offset, bytes), mov(dst, 'r10'), add(dst, offset)];
}

/**
 * Emits `memset(r10 + offset, 0, bytes)`, as one store for every 8 bytes; at odd ends, smaller ones.
 *
 * @throws IterError `STACK_RANGE`
 */
export function zeroStack(offset: number, bytes: number): Program {
  checkStack('zeroStack', offset, bytes);
  const stores: Program[number][] = [];
  for (let at = offset; at < offset + bytes; ) {
    // The stack is written at multiples of what is written.
    const [size, length] = sizes.find(([, length]) => at % length === 0 && at + length <= offset + bytes) ?? ['b', 1];
    stores.push(st(size, 'r10', at, 0));
    at += length;
  }
  return stores;
}

const sizes: readonly (readonly [Size, number])[] = [
  ['dw', 8],
  ['w', 4],
  ['h', 2],
];

/**
 * Emits `bpf_probe_read_kernel(dst, size, src)`: copies kernel memory that may be gone. r0 is 0, or negative, and then the
 * buffer is zeroed. What a BTF pointer leads to can be loaded without it. Clobbers r0 to r5. Linux 5.5.
 *
 * @param dst the buffer: a register that points to it, or its negative offset in the stack
 * @param size bytes: a number, or a register that the verifier knows the bounds of
 * @param src holds the address, whatever it is
 * @throws IterError `STACK_RANGE`; `REGISTER_CLOBBERED` for operands that stand in each other's way
 * @example
 * ```ts
 * [probeReadKernel(-8, 8, 'r7')] // *(u64 *)r7 to the stack
 * ```
 */
export function probeReadKernel(dst: Register | number, size: Register | number, src: Register): Program {
  const buffer = memory('probeReadKernel', dst, size);
  return callHelper('probeReadKernel', iterHelperIds.probe_read_kernel, [buffer, size, src]);
}

/**
 * Emits `bpf_probe_read_kernel_str(dst, size, src)`: copies a string, cut to `size` bytes with its NUL. r0 is the length
 * with the NUL, or negative, and then the buffer is zeroed. The bytes behind the NUL stay as they were: zero the buffer
 * before, or the end of an earlier, longer string is in there still. Clobbers r0 to r5. Linux 5.5.
 *
 * @throws IterError as {@link probeReadKernel}
 * @example
 * ```ts
 * [zeroStack(-64, 64), probeReadKernelStr(-64, 64, 'r7')]
 * ```
 */
export function probeReadKernelStr(dst: Register | number, size: Register | number, src: Register): Program {
  const buffer = memory('probeReadKernelStr', dst, size);
  return callHelper('probeReadKernelStr', iterHelperIds.probe_read_kernel_str, [buffer, size, src]);
}
