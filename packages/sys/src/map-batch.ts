import { type Attr, type BpfCmd, openAttr } from './attr.ts';
import { callOnce } from './bpf.ts';
import { checkBytes } from './check.ts';
import { BPF_F_LOCK, elemError } from './map.ts';
import type { MapFd } from './map-fd.ts';
import { withScope } from './memory.ts';

/** A chunk of a map. */
export interface MapBatch {
  /** How many entries were put at the beginning of `keys` and `values`. */
  readonly count: number;
  /** Where the next chunk starts; undefined after the last one. */
  readonly cursor: Uint8Array | undefined;
}

const ENOENT = 2;
const EINTR = 4;

/**
 * BPF_MAP_LOOKUP_BATCH: copies as many entries as fit, from a cursor on. A hash map hands out whole buckets, so that fewer
 * may come than fit, and entries that change meanwhile may be missed or come twice. Linux 5.6 (per-CPU arrays 5.13).
 *
 * @param keys where the keys go, one after the other; its length says how many
 * @param values where the values go, {@link MapFd.valueBytes} each
 * @param cursor that of the chunk before, or undefined for the first one
 * @throws SysError 'ENOSPC' when not even one bucket fits: larger arrays are needed, and no entry was lost; 'ENOTSUPP' or
 *   'EINVAL' when the kernel has no batches for this type; RangeError for lengths that do not match
 * @example
 * ```ts
 * let cursor: Uint8Array | undefined;
 * do {
 *   const batch = mapLookupBatch(map, keys, values, cursor);
 *   for (let i = 0; i < batch.count; i++) console.log(keys.subarray(i * 4, i * 4 + 4));
 *   ({ cursor } = batch);
 * } while (cursor);
 * ```
 */
export function mapLookupBatch(
  map: MapFd,
  keys: Uint8Array,
  values: Uint8Array,
  cursor?: Uint8Array,
  flags: number = 0,
): MapBatch {
  return lookup('BPF_MAP_LOOKUP_BATCH', map, keys, values, cursor, flags);
}

/** BPF_MAP_LOOKUP_AND_DELETE_BATCH: as {@link mapLookupBatch}, and they are gone. Not for arrays. Linux 5.6. */
export function mapLookupAndDeleteBatch(
  map: MapFd,
  keys: Uint8Array,
  values: Uint8Array,
  cursor?: Uint8Array,
  flags: number = 0,
): MapBatch {
  return lookup('BPF_MAP_LOOKUP_AND_DELETE_BATCH', map, keys, values, cursor, flags);
}

/**
 * BPF_MAP_UPDATE_BATCH: creates or replaces entries, in order. Linux 5.6.
 *
 * @param flags {@link BPF_F_LOCK} or none: the kernel has no BPF_NOEXIST and BPF_EXIST here
 * @throws SysError, with the number of entries that were written in `count`; RangeError
 */
export function mapUpdateBatch(map: MapFd, keys: Uint8Array, values: Uint8Array, flags: number = 0): void {
  if (flags !== 0 && flags !== BPF_F_LOCK)
    throw new RangeError(`a batch takes no flag but BPF_F_LOCK, not ${flags}: for BPF_NOEXIST, update one by one`);
  const count = countOf(map, keys, values);
  if (count === 0) return;
  withScope((scope) => {
    const attr = openAttr(scope, 'BPF_MAP_UPDATE_BATCH', {
      map_fd: map.fd,
      keys: scope.copy(keys),
      values: scope.copy(values),
      count,
      elem_flags: flags,
    });
    const result = callOnce(attr);
    if (result < 0) throw elemError(map.info, attr.command, -result, { count: doneOf(attr, count) });
  });
}

/**
 * BPF_MAP_DELETE_BATCH: deletes in order, and ends at the first key that is not there. Not for arrays. Linux 5.6.
 *
 * @returns how many were deleted: when fewer than were given, the key at that place was not in the map
 * @throws SysError, with that number in `count`; RangeError
 */
export function mapDeleteBatch(map: MapFd, keys: Uint8Array): number {
  const count = countOf(map, keys);
  if (count === 0) return 0;
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_MAP_DELETE_BATCH', { map_fd: map.fd, keys: scope.copy(keys), count });
    const result = callOnce(attr);
    const done = result < 0 ? doneOf(attr, count) : count;
    if (result < 0 && result !== -ENOENT) throw elemError(map.info, attr.command, -result, { count: done });
    return done;
  });
}

/** Of a batch that failed: the kernel stores how far it came, unless it refuses the call as a whole. */
function doneOf(attr: Attr<BpfCmd & `${string}BATCH`>, count: number): number {
  const done = attr.get('count');
  return done < count ? done : 0;
}

function lookup(
  command: BpfCmd & `BPF_MAP_LOOKUP_${string}BATCH`,
  map: MapFd,
  keys: Uint8Array,
  values: Uint8Array,
  cursor: Uint8Array | undefined,
  flags: number,
): MapBatch {
  const count = countOf(map, keys, values);
  if (count === 0) throw new RangeError('there is no room for a single entry: make keys and values longer');
  // A hash map's cursor is the number of a bucket, every other's is a key.
  const cursorBytes = Math.max(4, map.info.keySize);
  if (cursor !== undefined) checkBytes('the cursor', cursor);
  if (cursor && cursor.length !== cursorBytes)
    throw new RangeError(`the cursor has ${cursor.length} bytes, and this map's have ${cursorBytes}`);
  return withScope((scope) => {
    const outKeys = scope.alloc(keys.length);
    const outValues = scope.alloc(values.length);
    const outCursor = scope.alloc(cursorBytes);
    const attr = openAttr(scope, command, {
      map_fd: map.fd,
      in_batch: cursor ? scope.copy(cursor) : 0,
      out_batch: outCursor.address,
      keys: outKeys.address,
      values: outValues.address,
      count,
      elem_flags: flags,
    });
    let result = callOnce(attr);
    // Before Linux 6.14, EINTR when an entry was deleted meanwhile: from the cursor again, for as many as before, although
    // the kernel has changed the attr.
    for (let tries = 5; result === -EINTR && tries > 0; tries--) {
      attr.set({ count });
      result = callOnce(attr);
    }
    // ENOENT: the end, and the last entries are there.
    if (result < 0 && result !== -ENOENT) throw elemError(map.info, command, -result, { count: doneOf(attr, count) });
    const got = Math.min(attr.get('count'), count);
    keys.set(outKeys.bytes.subarray(0, got * map.info.keySize));
    values.set(outValues.bytes.subarray(0, got * map.valueBytes));
    return { count: got, cursor: result < 0 ? undefined : outCursor.bytes.slice() };
  });
}

/** How many entries these arrays hold: the kernel reads or writes that many of its own sizes. */
function countOf(map: MapFd, keys: Uint8Array, values?: Uint8Array): number {
  const { keySize, type, name } = map.info;
  checkBytes('keys', keys);
  if (values) checkBytes('values', values);
  const count = keys.length / keySize;
  if (!Number.isInteger(count) || count > 0xffff_ffff)
    throw new RangeError(`the keys have ${keys.length} bytes, and each of ${type} map '${name}' has ${keySize}`);
  if (values && values.length !== count * map.valueBytes)
    throw new RangeError(
      `the values have ${values.length} bytes, and ${count} of ${type} map '${name}' have ${count * map.valueBytes}`,
    );
  return count;
}
