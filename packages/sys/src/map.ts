import { bpf, bpfOrThrow } from './bpf.ts';
import { numberOf, objectName, u32 } from './check.ts';
import { errnoName } from './errno.ts';
import { SysError } from './error.ts';
import { type ElemMemory, MapFd } from './map-fd.ts';
import { LE, withScope } from './memory.ts';
import { BPF_CMD, type MapType, mapTypes, type UpdateFlag, updateFlags } from './uapi.ts';

export interface MapCreateOptions {
  readonly type: MapType;
  /** Bytes. An array's key is its index: 4 bytes. */
  readonly keySize: number;
  /** Bytes. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** At most 15 of `A-Z a-z 0-9 _ .`. */
  readonly name?: string;
}

const ENOENT = 2;
const E2BIG = 7;
const EEXIST = 17;

/**
 * BPF_MAP_CREATE. Linux 4.15 and newer (names).
 *
 * @throws SysError, UnavailableError; RangeError for a number or name that the kernel cannot take
 * @example
 * ```ts
 * using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1024, name: 'counts' });
 * ```
 */
export function mapCreate(options: MapCreateOptions): MapFd {
  return withScope((scope) => {
    const attr = scope.alloc(44);
    attr.view.setUint32(0, numberOf(mapTypes, options.type, 'map type'), LE);
    attr.view.setUint32(4, u32('keySize', options.keySize), LE);
    attr.view.setUint32(8, u32('valueSize', options.valueSize), LE);
    attr.view.setUint32(12, u32('maxEntries', options.maxEntries), LE);
    attr.bytes.set(objectName(options.name ?? ''), 28);
    return new MapFd(bpfOrThrow('BPF_MAP_CREATE', attr));
  });
}

/**
 * BPF_MAP_GET_FD_BY_ID: opens a map that exists, by the id that `bpftool map` prints. Needs CAP_SYS_ADMIN.
 * Linux 4.13 and newer.
 *
 * @throws SysError 'ENOENT' when there is no such map; UnavailableError
 */
export function mapGetFdById(id: number): MapFd {
  return withScope((scope) => {
    const attr = scope.alloc(12);
    attr.view.setUint32(0, u32('id', id), LE);
    return new MapFd(bpfOrThrow('BPF_MAP_GET_FD_BY_ID', attr));
  });
}

/**
 * BPF_MAP_LOOKUP_ELEM: copies the value of `key` into `value`.
 *
 * @returns false when there is no such key
 * @throws RangeError when key or value is not exactly as long as the map's; TypeError when the map is closed
 */
export function mapLookupElem(map: MapFd, key: Uint8Array, value: Uint8Array): boolean {
  const { elem } = map;
  putKey(map, elem, key);
  checkLength(map, 'value', value, map.info.valueSize);
  const found = elemCommand(map, elem, 'BPF_MAP_LOOKUP_ELEM', 0, ENOENT);
  if (found) value.set(elem.value);
  return found;
}

/**
 * BPF_MAP_UPDATE_ELEM.
 *
 * @returns false when `noexist` found the key, or `exist` did not
 * @throws RangeError when key or value is not exactly as long as the map's; SysError 'E2BIG' when the map is full
 */
export function mapUpdateElem(map: MapFd, key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): boolean {
  const { elem } = map;
  putKey(map, elem, key);
  checkLength(map, 'value', value, map.info.valueSize);
  elem.value.set(value);
  const answer = flag === 'noexist' ? EEXIST : flag === 'exist' ? ENOENT : 0;
  return elemCommand(map, elem, 'BPF_MAP_UPDATE_ELEM', numberOf(updateFlags, flag, 'update flag'), answer);
}

/**
 * BPF_MAP_DELETE_ELEM.
 *
 * @returns false when there is no such key
 * @throws RangeError when the key is not exactly as long as the map's; SysError 'EINVAL' for an array
 */
export function mapDeleteElem(map: MapFd, key: Uint8Array): boolean {
  const { elem } = map;
  putKey(map, elem, key);
  return elemCommand(map, elem, 'BPF_MAP_DELETE_ELEM', 0, ENOENT);
}

/**
 * BPF_MAP_GET_NEXT_KEY: copies the key after `key` into `next`, or the first one when `key` is undefined. After a key
 * that is not in the map the kernel goes on with the first.
 *
 * @returns false when there are no more
 * @throws RangeError when a key is not exactly as long as the map's
 */
export function mapGetNextKey(map: MapFd, key: Uint8Array | undefined, next: Uint8Array): boolean {
  const { elem } = map;
  if (key) putKey(map, elem, key);
  checkLength(map, 'next key', next, map.info.keySize);
  elem.attr.setBigUint64(8, key ? elem.keyAddress : 0n, LE);
  elem.attr.setBigUint64(16, elem.nextKeyAddress, LE);
  try {
    const found = elemCommand(map, elem, 'BPF_MAP_GET_NEXT_KEY', 0, ENOENT);
    if (found) next.set(elem.nextKey);
    return found;
  } finally {
    elem.attr.setBigUint64(8, elem.keyAddress, LE);
    elem.attr.setBigUint64(16, elem.valueAddress, LE);
  }
}

/** How much of {@link ElemMemory}'s attr each command reads: what lies behind must be zero, or is not passed. */
const attrBytes = {
  BPF_MAP_LOOKUP_ELEM: 32,
  BPF_MAP_UPDATE_ELEM: 32,
  BPF_MAP_DELETE_ELEM: 16,
  BPF_MAP_GET_NEXT_KEY: 24,
} as const;

/** Calls an element command; false when it failed with the one errno that is an answer and not an error. */
function elemCommand(
  map: MapFd,
  elem: ElemMemory,
  command: keyof typeof attrBytes,
  flags: number,
  answer: number,
): boolean {
  elem.attr.setUint32(24, flags, LE);
  const result = bpf(BPF_CMD[command], elem.attrAddress, attrBytes[command]);
  if (result >= 0) return true;
  const errno = -result;
  if (errno === answer) return false;
  const { type, name, maxEntries } = map.info;
  const subject = `${type} map '${name}'`;
  throw new SysError({
    code: errnoName(errno),
    errno,
    syscall: 'bpf',
    command,
    hint:
      errno !== E2BIG
        ? subject
        : type === 'array'
          ? `the index is beyond the ${maxEntries} elements of ${subject}`
          : `${subject} is full: it has room for ${maxEntries} entries`,
  });
}

function putKey(map: MapFd, elem: ElemMemory, key: Uint8Array): void {
  checkLength(map, 'key', key, map.info.keySize);
  elem.key.set(key);
}

function checkLength(map: MapFd, what: string, bytes: Uint8Array, size: number): void {
  if (bytes.byteLength === size) return;
  throw new RangeError(
    `the ${what} has ${bytes.byteLength} bytes, and those of ${map.info.type} map '${map.info.name}' have ${size}`,
  );
}
