import { block, callHelper, checkStack, type MapRef, type SavedRegister } from '@bpf/dsl';
import { atomicAdd, ja, jeq, jne, jne32, label, mov, type Program, st, stx } from '@bpf/insn';
import { BPF_FUNC_map_lookup_elem, mapLookup, mapUpdate } from './elements.ts';
import { BPF_NOEXIST } from './flags.ts';

const ENOENT = 2;
const EEXIST = 17;

/**
 * Emits the lookup of a value that is created when it is not there:
 *
 * ```c
 * r0 = bpf_map_lookup_elem(map, r10 + keyOff);
 * if (!r0) {
 *   bpf_map_update_elem(map, r10 + keyOff, r10 + initOff, BPF_NOEXIST);
 *   r0 = bpf_map_lookup_elem(map, r10 + keyOff);
 * }
 * ```
 *
 * r0 is the address of the value, whoever created it. NULL, which must be checked for, when the map is full. One lookup
 * when the key is there. 19 slots, clobbers r0 to r5. Linux 3.19.
 *
 * @param initOff where in the stack the first value lies, all of it
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('dw', 'r10', -16, 0), mapLookupOrInit('counts', -4, -16), jeq('r0', 0, 'full')]
 * ```
 */
export function mapLookupOrInit(map: MapRef, keyOff: number, initOff: number): Program {
  return block([
    mapLookup(map, keyOff),
    jne('r0', 0, 'found'),
    mapUpdate(map, keyOff, initOff, BPF_NOEXIST),
    mapLookup(map, keyOff),
    label('found'),
  ]);
}

/**
 * Emits an addition to a counter that nothing gets lost of, however many CPUs add to it at the same time:
 *
 * ```c
 * r0 = bpf_map_lookup_elem(map, r10 + keyOff);
 * if (!r0) {
 *   *(size *)(r10 + valueOff) = by;
 *   r0 = bpf_map_update_elem(map, r10 + keyOff, r10 + valueOff, BPF_NOEXIST);
 *   if (r0 != -EEXIST) goto done;
 *   r0 = bpf_map_lookup_elem(map, r10 + keyOff); // another CPU was faster
 *   if (!r0) { r0 = -ENOENT; goto done; }        // and a third one deleted it
 * }
 * r1 = by;
 * lock *(size *)(r0 + 0) += r1;
 * r0 = 0;
 * done:
 * ```
 *
 * For hash, array and LRU maps, and those per CPU, each of whose CPUs counts for itself. The counter is at the start of
 * the value, which has no more than that. r0 is 0, or a negative errno as with {@link mapUpdate}: -E2BIG when the map is
 * full. 27 slots, one less with `by` in a register; clobbers r0 to r5. Linux 5.1.
 *
 * @param valueOff room in the stack for one value, a negative multiple of its size
 * @param by what is added: a number, or a register that helper calls leave alone
 * @param size of the counter: 'dw', 8 bytes, or 'w', 4
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [stx('w', 'r10', 'r7', -4), mapIncrement('calls', -4, -16)]
 * ```
 */
export function mapIncrement(
  map: MapRef,
  keyOff: number,
  valueOff: number,
  by: number | SavedRegister = 1,
  size: 'w' | 'dw' = 'dw',
): Program {
  const bytes = size === 'dw' ? 8 : 4;
  checkStack('mapIncrement', valueOff, bytes, bytes);
  const fixed = typeof by === 'number';
  return block([
    mapLookup(map, keyOff),
    jne('r0', 0, 'add'),
    fixed ? st(size, 'r10', valueOff, by) : stx(size, 'r10', by, valueOff),
    mapUpdate(map, keyOff, valueOff, BPF_NOEXIST),
    // An int: its upper half may be missing.
    jne32('r0', -EEXIST, 'done'),
    mapLookup(map, keyOff),
    jne('r0', 0, 'add'),
    mov('r0', -ENOENT),
    ja('done'),
    label('add'),
    fixed ? mov('r1', by) : [],
    atomicAdd(size, 'r0', fixed ? 'r1' : by, 0),
    mov('r0', 0),
    label('done'),
  ]);
}

/**
 * Emits the lookup in a map that is in a map:
 *
 * ```c
 * r0 = bpf_map_lookup_elem(outer, r10 + outerKeyOff);
 * if (r0) r0 = bpf_map_lookup_elem(r0, r10 + innerKeyOff);
 * ```
 *
 * r0 is the address of the value, or NULL when either is not there. 10 slots, clobbers r0 to r5. Linux 4.12.
 *
 * @param outer an array_of_maps or hash_of_maps
 * @throws DslError `STACK_RANGE`
 * @example
 * ```ts
 * [st('w', 'r10', -4, 0), st('w', 'r10', -8, 5), mapLookupInner('maps', -4, -8), jeq('r0', 0, 'missing')]
 * ```
 */
export function mapLookupInner(outer: MapRef, outerKeyOff: number, innerKeyOff: number): Program {
  return block([
    mapLookup(outer, outerKeyOff),
    jeq('r0', 0, 'missing'),
    callHelper('mapLookupInner', BPF_FUNC_map_lookup_elem, ['r0', { memory: innerKeyOff }]),
    label('missing'),
  ]);
}
