import { MAX_32 } from './codes.ts';
import { refuse } from './error.ts';
import type { LddwInsn, Target, WritableRegister } from './insn.ts';
import { checkImm32, checkRange, checkUnsigned } from './range.ts';
import { made } from './source.ts';

/**
 * Emits `dst = imm ll`: any 64-bit constant, signed or unsigned. Two slots, as all of its kind (RFC 9669, section 5.4).
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a value outside -2^63..2^64-1
 */
export function lddw(dst: WritableRegister, imm: number | bigint): LddwInsn {
  if (typeof imm === 'bigint' || Number.isSafeInteger(imm)) {
    const wide = BigInt(imm);
    const unsigned = BigInt.asUintN(64, wide);
    if (wide === unsigned || wide === BigInt.asIntN(64, wide))
      return made({ kind: 'lddw', dst, source: 'imm', imm: unsigned });
  }
  return refuse('IMMEDIATE_RANGE', 'lddw', imm, 'an integer in -2^63..2^64-1; write one above 2^53 as bigint');
}

/**
 * Emits `dst = map_fd[map] ll`: the address of a map, for map helpers. The map is a file descriptor, or a name that
 * `assemble` finds in its `maps`.
 *
 * @throws InsnError `IMMEDIATE_RANGE` for a negative file descriptor
 */
export function ldMapFd(dst: WritableRegister, map: string | number): LddwInsn {
  return made({ kind: 'lddw', dst, source: 'map_fd', map: checkMap('ldMapFd', map) });
}

/**
 * Emits `dst = map_value[map][off] ll`: the address of a byte in the value of an array that has one element. Linux 5.2.
 *
 * @throws InsnError `IMMEDIATE_RANGE`
 */
export function ldMapValue(dst: WritableRegister, map: string | number, off: number): LddwInsn {
  return made({
    kind: 'lddw',
    dst,
    source: 'map_value',
    map: checkMap('ldMapValue', map),
    off: checkImm32('ldMapValue', off),
  });
}

/** As {@link ldMapFd}, with the map at a place in the fd_array of BPF_PROG_LOAD. Linux 5.14. */
export function ldMapIdx(dst: WritableRegister, index: number): LddwInsn {
  return made({ kind: 'lddw', dst, source: 'map_idx', index: checkUnsigned('ldMapIdx', index) });
}

/** As {@link ldMapValue}, with the map at a place in the fd_array of BPF_PROG_LOAD. Linux 5.14. */
export function ldMapIdxValue(dst: WritableRegister, index: number, off: number): LddwInsn {
  return made({
    kind: 'lddw',
    dst,
    source: 'map_idx_value',
    index: checkUnsigned('ldMapIdxValue', index),
    off: checkImm32('ldMapIdxValue', off),
  });
}

/**
 * Emits the address of a kernel variable, by its BTF id; `btfFd` is 0 for one of vmlinux, else the BTF of its module.
 * Linux 5.10.
 */
export function ldBtfId(dst: WritableRegister, btfId: number, btfFd = 0): LddwInsn {
  return made({
    kind: 'lddw',
    dst,
    source: 'btf_id',
    btfId: checkUnsigned('ldBtfId', btfId),
    btfFd: checkUnsigned('ldBtfId', btfFd),
  });
}

/** Emits the address of a function of the same program, for helpers that call back. Linux 5.13. */
export function ldFunc(dst: WritableRegister, target: Target): LddwInsn {
  return made({ kind: 'lddw', dst, source: 'func', target });
}

function checkMap(what: string, map: string | number): string | number {
  return typeof map === 'string' ? map : checkRange(what, map, 0, MAX_32);
}
