import { add, call, ldMapFd, mov, type Program, type WritableRegister } from '@bpf/insn';

/** A map in a program: the name that `loadProgram` resolves, or a file descriptor. */
export type MapRef = string | number;

/** Update flags of the kernel: create or replace, create only, replace only, and hold the value's spin lock. */
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
export const BPF_F_LOCK = 4;

const BPF_FUNC_map_lookup_elem = 1;
const BPF_FUNC_map_update_elem = 2;

/**
 * Emits `r0 = bpf_map_lookup_elem(map, r10 + keyOff)`: the address of the value, or NULL, which must be checked before
 * use. The key lies in the stack at a negative offset and is as long as the map's keys. 5 slots, clobbers r0 to r5.
 *
 * @throws RangeError for an offset outside the stack
 * @example
 * ```ts
 * [st('w', 'r10', -4, 0), mapLookup('counts', -4), jeq('r0', 0, 'missing')]
 * ```
 */
export function mapLookup(map: MapRef, keyOff: number): Program {
  return [ldMapFd('r1', map), stackPtr('r2', keyOff), call(BPF_FUNC_map_lookup_elem)];
}

/**
 * Emits `r0 = bpf_map_update_elem(map, r10 + keyOff, r10 + valueOff, flags)`. r0 is 0, or a negative errno: -EEXIST with
 * BPF_NOEXIST, -ENOENT with BPF_EXIST, -E2BIG when the map is full. 8 slots, clobbers r0 to r5.
 *
 * @throws RangeError for an offset outside the stack
 */
export function mapUpdate(map: MapRef, keyOff: number, valueOff: number, flags: number = BPF_ANY): Program {
  return [
    ldMapFd('r1', map),
    stackPtr('r2', keyOff),
    stackPtr('r3', valueOff),
    mov('r4', flags),
    call(BPF_FUNC_map_update_elem),
  ];
}

function stackPtr(dst: WritableRegister, offset: number): Program {
  if (!Number.isInteger(offset) || offset < -512 || offset >= 0)
    throw new RangeError(`${offset} is not in the stack, whose offsets are -512..-1`);
  return [mov(dst, 'r10'), add(dst, offset)];
}
