import { type MapBatch, type MapFd, mapGetNextKey, mapLookupBatch, mapLookupElem, SysError } from '@bpf/sys';

/** Some entries, one after the other. */
export interface Chunk {
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly count: number;
}

/** Entries in a first batch. */
const FIRST_BATCH = 4096;

/** Types whose batches a kernel lacks, as it turned out: asked once. */
const withoutBatches = new Set<string | number>();

/**
 * All entries, in chunks: by batches, or where the kernel has none for this type (before 5.6, and several types) with two
 * calls for each. The arrays of a chunk are used again for the next.
 */
export function* chunksOf(map: MapFd): Generator<Chunk> {
  if (!withoutBatches.has(map.info.type)) {
    if (yield* batches(map)) return;
    withoutBatches.add(map.info.type);
  }
  yield* oneByOne(map);
}

/** @returns false when there are no batches, and nothing was handed out */
function* batches(map: MapFd): Generator<Chunk, boolean> {
  const { keySize, maxEntries } = map.info;
  let capacity = Math.max(1, Math.min(maxEntries, FIRST_BATCH));
  let keys = new Uint8Array(capacity * keySize);
  let values = new Uint8Array(capacity * map.valueBytes);
  let cursor: Uint8Array | undefined;
  for (let first = true; ; first = false) {
    let batch: MapBatch;
    try {
      batch = mapLookupBatch(map, keys, values, cursor);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      if (error.code === 'ENOSPC') {
        // A bucket that is larger than all of the room: nothing was lost.
        capacity *= 2;
        keys = new Uint8Array(capacity * keySize);
        values = new Uint8Array(capacity * map.valueBytes);
        continue;
      }
      if (first && NO_BATCHES.includes(error.code)) return false;
      throw error;
    }
    yield { keys, values, count: batch.count };
    if (batch.cursor === undefined) return true;
    ({ cursor } = batch);
  }
}

/** What kernels answer that have no batches at all, or not for this type. */
const NO_BATCHES: readonly string[] = ['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP'];

function* oneByOne(map: MapFd): Generator<Chunk> {
  const { maxEntries } = map.info;
  const values = new Uint8Array(map.valueBytes);
  for (const keys of keysOneByOne(map, maxEntries)) {
    if (mapLookupElem(map, keys, values)) yield { keys, values, count: 1 };
  }
}

/**
 * The keys by BPF_MAP_GET_NEXT_KEY. The next one is asked for before a key is handed out, so that it may be deleted. When
 * somebody else deletes the one that was to be next, the kernel starts again: the walk ends after `limit` at the latest.
 */
export function* keysOneByOne(map: MapFd, limit: number): Generator<Uint8Array> {
  const { keySize } = map.info;
  let key = new Uint8Array(keySize);
  let more = mapGetNextKey(map, undefined, key);
  for (let step = 0; more && step < limit; step++) {
    const next = new Uint8Array(keySize);
    more = mapGetNextKey(map, key, next);
    yield key;
    key = next;
  }
}
