import { callHelper, DslError, type MapRef, type Memory } from '@bpf/dsl';
import type { Program, WritableRegister } from '@bpf/insn';
import { BPF_F_CURRENT_CPU } from './flags.ts';

const BPF_FUNC_perf_event_output = 25;
const BPF_FUNC_ringbuf_output = 130;
const BPF_FUNC_ringbuf_reserve = 131;
const BPF_FUNC_ringbuf_submit = 132;
const BPF_FUNC_ringbuf_discard = 133;

/**
 * Emits `r0 = bpf_ringbuf_output(map, data, size, flags)`: copies a record into a ring buffer. r0 is 0, or negative when
 * there is no room. Clobbers r0 to r5. Linux 5.8.
 *
 * @param data a register that points to it, or its offset in the stack
 * @param size bytes: a number, or a register that the verifier knows the bounds of
 * @param flags {@link BPF_RB_NO_WAKEUP} or {@link BPF_RB_FORCE_WAKEUP}
 * @throws DslError `STACK_RANGE`, `REGISTER_CLOBBERED`
 * @example
 * ```ts
 * [stx('dw', 'r10', 'r7', -8), ringbufOutput('events', -8, 8)]
 * ```
 */
export function ringbufOutput(map: MapRef, data: Memory, size: WritableRegister | number, flags = 0): Program {
  const bytes = { memory: data, bytes: size };
  return callHelper('ringbufOutput', BPF_FUNC_ringbuf_output, [{ map }, bytes, size, flags]);
}

/**
 * Emits `r0 = bpf_ringbuf_reserve(map, size, 0)`: room for a record in a ring buffer, which is written in place, without
 * the stack and its 512 bytes. r0 is its address, or NULL when there is no room. The verifier wants NULL checked, and
 * {@link ringbufSubmit} or {@link ringbufDiscard} on every way from there. Clobbers r0 to r5. Linux 5.8.
 *
 * @param size bytes
 * @throws DslError `NUMBER_RANGE`
 * @example
 * ```ts
 * [
 *   ringbufReserve('events', 8),
 *   jeq('r0', 0, 'full'),
 *   stx('dw', 'r0', 'r7', 0),
 *   ringbufSubmit('r0'),
 *   label('full'),
 * ]
 * ```
 */
export function ringbufReserve(map: MapRef, size: number): Program {
  if (!Number.isInteger(size) || size < 1 || size > 0x3fff_ffff)
    throw new DslError('NUMBER_RANGE', `ringbufReserve: ${size} bytes are no size of a record: it is 1..2^30-1`);
  return callHelper('ringbufReserve', BPF_FUNC_ringbuf_reserve, [{ map }, size, 0]);
}

/**
 * Emits `bpf_ringbuf_submit(record, flags)`: hands a reserved record to the reader. Clobbers r0 to r5. Linux 5.8.
 *
 * @example
 * ```ts
 * [stx('dw', 'r0', 'r7', 0), ringbufSubmit('r0', BPF_RB_NO_WAKEUP)]
 * ```
 */
export function ringbufSubmit(record: WritableRegister, flags = 0): Program {
  return callHelper('ringbufSubmit', BPF_FUNC_ringbuf_submit, [record, flags]);
}

/**
 * Emits `bpf_ringbuf_discard(record, flags)`: drops a reserved record. Clobbers r0 to r5. Linux 5.8.
 *
 * @example
 * ```ts
 * [jne('r7', 0, 'wanted'), ringbufDiscard('r6'), ja('out'), label('wanted'), ringbufSubmit('r6')]
 * ```
 */
export function ringbufDiscard(record: WritableRegister, flags = 0): Program {
  return callHelper('ringbufDiscard', BPF_FUNC_ringbuf_discard, [record, flags]);
}

/**
 * Emits `r0 = bpf_perf_event_output(ctx, map, flags, data, size)`: a record for the perf event that a perf_event_array
 * has for this CPU. r0 is 0, or negative: -ENOENT when there is none. A ring buffer is simpler and faster where there is
 * one. Clobbers r0 to r5. Linux 4.4.
 *
 * @param ctx the program's context, which r1 is at its start
 * @param data a register that points to it, or its offset in the stack
 * @param size bytes: a number, or a register that the verifier knows the bounds of
 * @param cpu a number, or {@link BPF_F_CURRENT_CPU}
 * @throws DslError `STACK_RANGE`, `REGISTER_CLOBBERED`
 * @example
 * ```ts
 * [mov('r6', 'r1'), st('dw', 'r10', -8, 1), perfEventOutput('r6', 'events', -8, 8)]
 * ```
 */
export function perfEventOutput(
  ctx: WritableRegister,
  map: MapRef,
  data: Memory,
  size: WritableRegister | number,
  cpu: number = BPF_F_CURRENT_CPU,
): Program {
  const bytes = { memory: data, bytes: size };
  return callHelper('perfEventOutput', BPF_FUNC_perf_event_output, [ctx, { map }, cpu, bytes, size]);
}
