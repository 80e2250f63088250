import { callHelper, type MapRef } from '@bpf/dsl';
import type { Program, WritableRegister } from '@bpf/insn';
import { BPF_ANY } from './flags.ts';

export const BPF_FUNC_map_lookup_elem = 1;
const BPF_FUNC_map_update_elem = 2;
const BPF_FUNC_map_delete_elem = 3;
const BPF_FUNC_map_lookup_percpu_elem = 195;

/**
 * Emits `r0 = bpf_map_lookup_elem(map, r10 + keyOff)`: the address of the value, or NULL, which must be checked before
 * use. The key lies in the stack at a negative offset and is as long as the map's keys. 5 slots, clobbers r0 to r5.
 * Linux 3.19.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('w', 'r10', -4, 0), mapLookup('counts', -4), jeq('r0', 0, 'missing')]
 * ```
 */
export function mapLookup(map: MapRef, keyOff: number): Program {
  return callHelper('mapLookup', BPF_FUNC_map_lookup_elem, [{ map }, { memory: keyOff }]);
}

/**
 * Emits `r0 = bpf_map_update_elem(map, r10 + keyOff, r10 + valueOff, flags)`. r0 is 0, or a negative errno: -EEXIST with
 * BPF_NOEXIST, -ENOENT with BPF_EXIST, -E2BIG when the map is full. It is an `int`, and before Linux 6.4 the upper half
 * of r0 may be 0: compare it with 0, or with 32-bit jumps (`jne32`). 8 slots, clobbers r0 to r5.
 * Linux 3.19.
 *
 * @param flags one of {@link BPF_ANY}, {@link BPF_NOEXIST} and {@link BPF_EXIST}, and perhaps {@link BPF_F_LOCK}
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('w', 'r10', -4, 7), st('dw', 'r10', -16, 1), mapUpdate('counts', -4, -16, BPF_NOEXIST), jne('r0', 0, 'failed')]
 * ```
 */
export function mapUpdate(map: MapRef, keyOff: number, valueOff: number, flags: number = BPF_ANY): Program {
  const operands = [{ map }, { memory: keyOff }, { memory: valueOff }, flags];
  return callHelper('mapUpdate', BPF_FUNC_map_update_elem, operands);
}

/**
 * Emits `r0 = bpf_map_delete_elem(map, r10 + keyOff)`. r0 is 0, or a negative errno as with {@link mapUpdate}: -ENOENT
 * for no such key, -EINVAL for arrays, whose elements stay. 5 slots, clobbers r0 to r5. Linux 3.19.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('w', 'r10', -4, 7), mapDelete('counts', -4)]
 * ```
 */
export function mapDelete(map: MapRef, keyOff: number): Program {
  return callHelper('mapDelete', BPF_FUNC_map_delete_elem, [{ map }, { memory: keyOff }]);
}

/**
 * Emits `r0 = bpf_map_lookup_elem(map, key)`: {@link mapLookup} with the key where a register points to. Any register
 * will do: it is read before r1 and r2 are written. 4 slots, clobbers r0 to r5. Linux 3.19; 4.18 for keys in other maps.
 *
 * @example
 * ```ts
 * [mapLookup('orders', -4), jeq('r0', 0, 'none'), mapLookupPtr('products', 'r0')] // the key is in another map
 * ```
 */
export function mapLookupPtr(map: MapRef, key: WritableRegister): Program {
  return callHelper('mapLookupPtr', BPF_FUNC_map_lookup_elem, [{ map }, { memory: key }]);
}

/**
 * Emits `r0 = bpf_map_update_elem(map, key, value, flags)`: {@link mapUpdate} with key and value where registers point
 * to. 6 slots, clobbers r0 to r5. Linux 3.19; 4.18 for keys and values in other maps.
 *
 * @throws DslError `REGISTER_CLOBBERED` for a key in r3 with a value in r2, which want each other's register
 * @example
 * ```ts
 * [mapLookup('orders', -4), jeq('r0', 0, 'none'), allocStackBuffer('r6', -8, 8), mapUpdatePtr('latest', 'r6', 'r0')]
 * ```
 */
export function mapUpdatePtr(
  map: MapRef,
  key: WritableRegister,
  value: WritableRegister,
  flags: number = BPF_ANY,
): Program {
  const operands = [{ map }, { memory: key }, { memory: value }, flags];
  return callHelper('mapUpdatePtr', BPF_FUNC_map_update_elem, operands);
}

/**
 * Emits `r0 = bpf_map_delete_elem(map, key)`: {@link mapDelete} with the key where a register points to. 4 slots,
 * clobbers r0 to r5. Linux 3.19; 4.18 for keys in other maps.
 *
 * @example
 * ```ts
 * [mapLookup('old', -4), jeq('r0', 0, 'none'), mapDeletePtr('counts', 'r0')] // the key is in another map
 * ```
 */
export function mapDeletePtr(map: MapRef, key: WritableRegister): Program {
  return callHelper('mapDeletePtr', BPF_FUNC_map_delete_elem, [{ map }, { memory: key }]);
}

/**
 * Emits `r0 = bpf_map_lookup_percpu_elem(map, r10 + keyOff, cpu)`: the address of the value that another CPU has in a
 * per-CPU map, or NULL, also when there is no such CPU. {@link mapLookup} is for that of this CPU. 6 slots, clobbers
 * r0 to r5. Linux 5.19.
 *
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('w', 'r10', -4, 0), mapLookupPercpu('counts', -4, 1), jeq('r0', 0, 'missing')] // that of CPU 1
 * ```
 */
export function mapLookupPercpu(map: MapRef, keyOff: number, cpu: WritableRegister | number): Program {
  return callHelper('mapLookupPercpu', BPF_FUNC_map_lookup_percpu_elem, [{ map }, { memory: keyOff }, cpu]);
}
