import { callHelper, type MapRef, type Memory } from '@bpf/dsl';
import type { Program } from '@bpf/insn';
import { BPF_ANY } from './flags.ts';

const BPF_FUNC_map_push_elem = 87;
const BPF_FUNC_map_pop_elem = 88;
const BPF_FUNC_map_peek_elem = 89;

/**
 * Emits `r0 = bpf_map_push_elem(map, value, flags)`: adds a value to a queue, stack or bloom filter (Linux 5.16). r0 is 0,
 * or -E2BIG when it is full, as with {@link mapUpdate}. Clobbers r0 to r5. Linux 4.20.
 *
 * @param value a register that points to it, or its offset in the stack
 * @param flags {@link BPF_EXIST} for the oldest value to give way
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [stx('dw', 'r10', 'r7', -8), mapPush('latest', -8, BPF_EXIST)]
 * ```
 */
export function mapPush(map: MapRef, value: Memory, flags: number = BPF_ANY): Program {
  return callHelper('mapPush', BPF_FUNC_map_push_elem, [{ map }, { memory: value }, flags]);
}

/**
 * Emits `r0 = bpf_map_pop_elem(map, value)`: takes the first value of a queue, or the last of a stack. r0 is 0, or -ENOENT
 * when there is none, and then the value is zeroed. Clobbers r0 to r5. Linux 4.20.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [mapPop('waiting', -8), jne32('r0', 0, 'none'), ldx('dw', 'r7', 'r10', -8)]
 * ```
 */
export function mapPop(map: MapRef, value: Memory): Program {
  return callHelper('mapPop', BPF_FUNC_map_pop_elem, [{ map }, { memory: value }]);
}

/**
 * Emits `r0 = bpf_map_peek_elem(map, value)`: {@link mapPop} without taking it. For a bloom filter the value is what is
 * asked for, and r0 is 0 when it may be in there, -ENOENT when it is not. Clobbers r0 to r5. Linux 4.20.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [stx('dw', 'r10', 'r7', -8), mapPeek('seen', -8), jne32('r0', 0, 'never seen')] // a bloom filter
 * ```
 */
export function mapPeek(map: MapRef, value: Memory): Program {
  return callHelper('mapPeek', BPF_FUNC_map_peek_elem, [{ map }, { memory: value }]);
}
