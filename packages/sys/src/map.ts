import { openAttr } from './attr.ts';
import { bpfUnchecked, callOrThrow } from './bpf.ts';
import { checkBytes, flagsOf, numberOf, objectName } from './check.ts';
import { errnoName } from './errno.ts';
import { SysError } from './error.ts';
import type { HasFd } from './fd.ts';
import { type ElemMemory, MapFd } from './map-fd.ts';
import type { MapInfo, MapType } from './map-info.ts';
import { withScope } from './memory.ts';
import { BPF_CMD, mapFlags, mapTypes } from './uapi.gen.ts';

/** A flag of BPF_MAP_CREATE: BPF_F_* in lower case. */
export type MapFlag = keyof typeof mapFlags;

export interface MapCreateOptions {
  /** A name, or the number of a type that this package has no name for. */
  readonly type: MapType | number;
  /** Bytes. An array's key is its index: 4 bytes. Those without keys have 0. */
  readonly keySize: number;
  /** Bytes; of a per-CPU map, for one CPU. */
  readonly valueSize: number;
  /** Of a ring buffer, its bytes. */
  readonly maxEntries: number;
  /** At most 15 of `A-Z a-z 0-9 _ .`. */
  readonly name?: string;
  readonly flags?: readonly MapFlag[];
  /** Of a map of maps: a map like those that it is to hold. */
  readonly innerMap?: HasFd;
  /** With the flag `numa_node`. */
  readonly numaNode?: number;
  readonly ifindex?: number;
  /** Types of key and value, for whoever prints the map: a BTF object and ids in it. */
  readonly btf?: HasFd;
  readonly btfKeyTypeId?: number;
  readonly btfValueTypeId?: number;
  /** Of a struct_ops map, the kernel's type; it wants `btf` too, whatever is in it. */
  readonly btfVmlinuxValueTypeId?: number;
  /** What the type makes of it: a bloom filter's number of hashes, an arena's address. Linux 5.16. */
  readonly mapExtra?: number | bigint;
  /** A token for those without privilege, with the flag `token_fd`. Linux 6.9. */
  readonly token?: HasFd;
}

/** Flags of an element operation: create or replace, create only, replace only. */
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;
/** Holds the value's `bpf_spin_lock`; may be added to the others. Linux 5.1. */
export const BPF_F_LOCK = 4;

const EPERM = 1;
const ENOENT = 2;
const E2BIG = 7;
const EEXIST = 17;

/**
 * BPF_MAP_CREATE. Linux 4.15 (names).
 *
 * @throws SysError, whose hint says what the type demands; UnavailableError; RangeError for a number or name that the kernel
 *   cannot take
 * @example
 * ```ts
 * using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1024, name: 'counts' });
 * ```
 */
export function mapCreate(options: MapCreateOptions): MapFd {
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_MAP_CREATE', {
      map_type: numberOf(mapTypes, options.type, 'map type'),
      key_size: options.keySize,
      value_size: options.valueSize,
      max_entries: options.maxEntries,
      map_flags: flagsOf(mapFlags, options.flags, 'map flag'),
      inner_map_fd: options.innerMap?.fd,
      numa_node: options.numaNode,
      map_name: objectName(options.name ?? ''),
      map_ifindex: options.ifindex,
      btf_fd: options.btf?.fd,
      btf_key_type_id: options.btfKeyTypeId,
      btf_value_type_id: options.btfValueTypeId,
      btf_vmlinux_value_type_id: options.btfVmlinuxValueTypeId,
      map_extra: options.mapExtra,
      map_token_fd: options.token?.fd,
    });
    return new MapFd(callOrThrow(attr));
  });
}

/** BPF_MAP_FREEZE: refuses writes from user space from now on; programs still write. Linux 5.2. */
export function mapFreeze(map: HasFd): void {
  withScope((scope) => {
    callOrThrow(openAttr(scope, 'BPF_MAP_FREEZE', { map_fd: map.fd }));
  });
}

/**
 * BPF_MAP_LOOKUP_ELEM: copies the value of `key` into `value`. Of a queue or stack, whose key is empty, the next value stays
 * in it. Of a bloom filter, `value` is what is asked for.
 *
 * @param value of {@link MapFd.valueBytes}: a per-CPU map's has every possible CPU's
 * @param flags {@link BPF_F_LOCK} or none
 * @returns false when there is no such key
 * @throws RangeError when key or value is not exactly as long as the map's; TypeError when the map is closed; SysError
 */
export function mapLookupElem(map: MapFd, key: Uint8Array, value: Uint8Array, flags: number = 0): boolean {
  const { elem } = map;
  putBytes(map, 'key', key, elem.key.bytes);
  if (elem.asksWithValue) putBytes(map, 'value', value, elem.value.bytes);
  else checkLength(map, 'value', value, elem.value.bytes);
  const result = elemCall(elem, BPF_CMD.BPF_MAP_LOOKUP_ELEM, flags);
  if (result >= 0) {
    if (value !== elem.value.bytes) copy(elem.value.bytes, value);
    return true;
  }
  if (result === -ENOENT) return false;
  throw elemError(map.info, 'BPF_MAP_LOOKUP_ELEM', -result);
}

/**
 * BPF_MAP_UPDATE_ELEM. Pushes on a queue or stack, and adds to a bloom filter, whose keys are empty.
 *
 * @param flags {@link BPF_ANY}, {@link BPF_NOEXIST} or {@link BPF_EXIST}, and {@link BPF_F_LOCK}
 * @returns false when BPF_NOEXIST found the key, or BPF_EXIST did not
 * @throws RangeError when key or value is not exactly as long as the map's; SysError 'E2BIG' when the map is full
 */
export function mapUpdateElem(map: MapFd, key: Uint8Array, value: Uint8Array, flags: number = BPF_ANY): boolean {
  const { elem } = map;
  putBytes(map, 'key', key, elem.key.bytes);
  putBytes(map, 'value', value, elem.value.bytes);
  const result = elemCall(elem, BPF_CMD.BPF_MAP_UPDATE_ELEM, flags);
  if (result >= 0) return true;
  if (result === -EEXIST && (flags & BPF_NOEXIST) !== 0) return false;
  if (result === -ENOENT && (flags & BPF_EXIST) !== 0) return false;
  throw elemError(map.info, 'BPF_MAP_UPDATE_ELEM', -result);
}

/**
 * BPF_MAP_DELETE_ELEM.
 *
 * @returns false when there is no such key
 * @throws RangeError when the key is not exactly as long as the map's; SysError 'EINVAL' for an array
 */
export function mapDeleteElem(map: MapFd, key: Uint8Array): boolean {
  const { elem } = map;
  putBytes(map, 'key', key, elem.key.bytes);
  // It refuses an attr with anything behind the key.
  const result = bpfUnchecked(BPF_CMD.BPF_MAP_DELETE_ELEM, elem.attr, 16);
  if (result >= 0) return true;
  if (result === -ENOENT) return false;
  throw elemError(map.info, 'BPF_MAP_DELETE_ELEM', -result);
}

/**
 * BPF_MAP_LOOKUP_AND_DELETE_ELEM: as {@link mapLookupElem}, and the key is gone, in one step: pops a queue or stack. Linux
 * 4.20, of hash maps 5.14.
 *
 * @throws SysError 'ENOTSUPP' for an array
 */
export function mapLookupAndDeleteElem(map: MapFd, key: Uint8Array, value: Uint8Array, flags: number = 0): boolean {
  const { elem } = map;
  putBytes(map, 'key', key, elem.key.bytes);
  checkLength(map, 'value', value, elem.value.bytes);
  const result = elemCall(elem, BPF_CMD.BPF_MAP_LOOKUP_AND_DELETE_ELEM, flags);
  if (result >= 0) {
    if (value !== elem.value.bytes) copy(elem.value.bytes, value);
    return true;
  }
  if (result === -ENOENT) return false;
  throw elemError(map.info, 'BPF_MAP_LOOKUP_AND_DELETE_ELEM', -result);
}

/**
 * BPF_MAP_GET_NEXT_KEY: copies the key after `key` into `next`, or the first one when `key` is undefined. After a key
 * that is not in the map the kernel goes on with the first. `next` may be `key`.
 *
 * @returns false when there are no more
 * @throws RangeError when a key is not exactly as long as the map's
 */
export function mapGetNextKey(map: MapFd, key: Uint8Array | undefined, next: Uint8Array): boolean {
  const { elem } = map;
  checkLength(map, 'next key', next, elem.nextKey);
  if (key !== undefined) putBytes(map, 'key', key, elem.key.bytes);
  const result = bpfUnchecked(BPF_CMD.BPF_MAP_GET_NEXT_KEY, key === undefined ? elem.firstAttr : elem.nextAttr, 24);
  if (result >= 0) {
    copy(elem.nextKey, next);
    return true;
  }
  if (result === -ENOENT) return false;
  throw elemError(map.info, 'BPF_MAP_GET_NEXT_KEY', -result);
}

function elemCall(elem: ElemMemory, command: number, flags: number): number {
  if (flags !== elem.flags) putFlags(elem, flags);
  return bpfUnchecked(command, elem.attr, 32);
}

/** The flags of the next calls: they are mostly those of the last one. */
function putFlags(elem: ElemMemory, flags: number): void {
  if (!Number.isSafeInteger(flags) || flags < 0)
    throw new RangeError(`the flags are ${flags}; they must be an integer in 0..2^53-1, such as BPF_NOEXIST`);
  elem.flags = flags;
  elem.flagWords[0] = flags;
  // The number of a CPU, for flags that have one, is in the upper half.
  elem.flagWords[1] = flags / 2 ** 32;
}

function putBytes(map: MapFd, what: string, source: Uint8Array, target: Uint8Array): void {
  if (source === target) return;
  checkLength(map, what, source, target);
  copy(source, target);
}

function checkLength(map: MapFd, what: string, bytes: Uint8Array, { length }: Uint8Array): void {
  if (bytes?.length === length && bytes.BYTES_PER_ELEMENT === 1) return;
  checkBytes(what, bytes);
  throw new RangeError(
    `the ${what} has ${bytes.length} bytes, and those of ${map.info.type} map '${map.info.name}' have ${length}`,
  );
}

/** Up to here, a loop is faster than `TypedArray.set`. */
const SHORT = 32;

function copy(source: Uint8Array, target: Uint8Array): void {
  const { length } = source;
  if (length === 4 || length === 8) {
    target[0] = source[0] as number;
    target[1] = source[1] as number;
    target[2] = source[2] as number;
    target[3] = source[3] as number;
    if (length === 4) return;
    target[4] = source[4] as number;
    target[5] = source[5] as number;
    target[6] = source[6] as number;
    target[7] = source[7] as number;
  } else if (length > SHORT) target.set(source);
  else for (let i = 0; i < length; i++) target[i] = source[i] as number;
}

/** The error of an element command, and of a batch. */
export function elemError(info: MapInfo, command: string, errno: number, facts: { count?: number } = {}): SysError {
  const subject = `${info.type} map '${info.name}'`;
  return new SysError({
    code: errnoName(errno),
    errno,
    syscall: 'bpf',
    command,
    hint:
      errno === E2BIG
        ? whyFull(info, subject)
        : errno === EPERM
          ? `${subject} is frozen or not open for this`
          : subject,
    ...facts,
  });
}

function whyFull({ type, maxEntries }: MapInfo, subject: string): string {
  return String(type).endsWith('array')
    ? `the index is beyond the ${maxEntries} elements of ${subject}`
    : `${subject} is full: it has room for ${maxEntries} entries`;
}
