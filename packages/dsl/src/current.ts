import { call, mov32, type Program, rsh, type WritableRegister } from '@bpf/insn';
import { callHelper, type MapRef, type Memory } from './call.ts';

const BPF_FUNC_ktime_get_ns = 5;
const BPF_FUNC_get_current_pid_tgid = 14;
const BPF_FUNC_get_current_uid_gid = 15;
const BPF_FUNC_get_current_comm = 16;
const BPF_FUNC_get_stackid = 27;
const BPF_FUNC_get_stack = 67;

/** The bytes of a name, its NUL among them (TASK_COMM_LEN). */
export const COMM_BYTES = 16;

/**
 * Emits `r0 = bpf_get_current_pid_tgid() >> 32`: the PID of the process that is running. Clobbers r1 to r5. Linux 4.2.
 *
 * @example
 * ```ts
 * [currentPid(), jne('r0', 1234, 'out')]
 * ```
 */
export function currentPid(): Program {
  return [call(BPF_FUNC_get_current_pid_tgid), rsh('r0', 32)];
}

/**
 * Emits `w0 = bpf_get_current_pid_tgid()`: the id of the thread that is running. Clobbers r1 to r5. Linux 4.2.
 *
 * @example
 * ```ts
 * [currentTid(), stx('w', 'r10', 'r0', -4)] // a key
 * ```
 */
export function currentTid(): Program {
  return [call(BPF_FUNC_get_current_pid_tgid), mov32('r0', 'r0')];
}

/**
 * Emits `w0 = bpf_get_current_uid_gid()`: the user, as the first user namespace numbers it. Clobbers r1 to r5. Linux 4.2.
 *
 * @example
 * ```ts
 * [currentUid(), jne('r0', 0, 'out')] // root only
 * ```
 */
export function currentUid(): Program {
  return [call(BPF_FUNC_get_current_uid_gid), mov32('r0', 'r0')];
}

/**
 * Emits `r0 = bpf_get_current_uid_gid() >> 32`: the group. Clobbers r1 to r5. Linux 4.2.
 *
 * @example
 * ```ts
 * setField(event, 'gid', currentGid())
 * ```
 */
export function currentGid(): Program {
  return [call(BPF_FUNC_get_current_uid_gid), rsh('r0', 32)];
}

/**
 * Emits `bpf_get_current_comm(buf, 16)`: the name of the thread that is running, with its NUL. Some kernels write nothing
 * behind the NUL: `zeroStack(at, 16)` before, where names are compared or are keys. Clobbers r0 to r5.
 *
 * @param buf 16 bytes: a register that points to them, or their offset in the stack
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [zeroStack(-16, 16), currentComm(-16), mapIncrement('calls', -16, -24)]
 * ```
 */
export function currentComm(buf: Memory): Program {
  return callHelper('currentComm', BPF_FUNC_get_current_comm, [{ memory: buf, bytes: COMM_BYTES }, COMM_BYTES]);
}

/**
 * Emits `r0 = bpf_ktime_get_ns()`: nanoseconds since boot, without those of suspension. Clobbers r1 to r5. Linux 4.1.
 *
 * @example
 * ```ts
 * [ktimeGetNs(), stx('dw', 'r10', 'r0', -8)]
 * ```
 */
export function ktimeGetNs(): Program {
  return [call(BPF_FUNC_ktime_get_ns)];
}

/** For stacks: that of the process instead of the kernel's. */
export const BPF_F_USER_STACK: number = 1 << 8;
/** For {@link getStackid}: take stacks for the same by their hash alone. */
export const BPF_F_FAST_STACK_CMP: number = 1 << 9;
/** For {@link getStackid}: replace another stack that has the same hash. */
export const BPF_F_REUSE_STACKID: number = 1 << 10;

/**
 * Emits `r0 = bpf_get_stackid(ctx, map, flags)`: remembers the stack in a stack_trace map. r0 is its id, or negative: -EEXIST
 * when another stack has its place, see {@link BPF_F_REUSE_STACKID}. Clobbers r1 to r5. Linux 4.6.
 *
 * @param flags how many frames to skip, up to 255, and those above
 * @example
 * ```ts
 * [getStackid('r1', 'stacks'), stx('w', 'r10', 'r0', -4), mapIncrement('counts', -4, -16)]
 * ```
 */
export function getStackid(ctx: WritableRegister, map: MapRef, flags = 0): Program {
  return callHelper('getStackid', BPF_FUNC_get_stackid, [ctx, { map }, flags]);
}

/**
 * Emits `r0 = bpf_get_stack(ctx, buf, size, flags)`: the addresses of the stack, 8 bytes each, innermost first. r0 is how
 * many bytes they are, or negative; the rest of the buffer is zeroed. Clobbers r1 to r5. Linux 4.18.
 *
 * @param buf a register that points to it, or its offset in the stack, a multiple of 8; Linux 5.10 wants it written before
 *   (`zeroStack`)
 * @param size bytes, a multiple of 8
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [zeroStack(-64, 64), getStack('r1', -64, 64)] // eight frames
 * ```
 */
export function getStack(ctx: WritableRegister, buf: Memory, size: number, flags = 0): Program {
  return callHelper('getStack', BPF_FUNC_get_stack, [ctx, { memory: buf, bytes: size }, size, flags]);
}
