import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_LOCK,
  BPF_NOEXIST,
  type MapFd,
  mapDeleteBatch,
  mapDeleteElem,
  mapLookupAndDeleteElem,
  mapLookupElem,
  SysError,
} from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, lookup, put, take, update } from './codec.ts';
import { chunksOf } from './walk.ts';

/** `noexist` only creates an entry, `exist` only replaces one; `lock` holds the value's `bpf_spin_lock` (Linux 5.1). */
export type UpdateFlag = 'noexist' | 'exist' | 'lock';

/**
 * A map of entries by key: hash, lru_hash, their per-CPU kinds (a value is then an array, one for each possible CPU), rhash
 * and lpm_trie. Keys and values are bytes, or what a schema makes of them.
 *
 * An LRU map drops the entries that were not used for longest when it is full, and some before. A key of an lpm_trie is
 * `struct { u32 prefixlen; u8 data[]; }`, the data in network byte order: `get` and `has` find the longest prefix.
 */
export class HashMap<Key = Uint8Array, Value = Uint8Array, KeyInput = Key, ValueInput = Value> extends BpfMap {
  readonly #key: Codec<Key, KeyInput>;
  readonly #value: Codec<Value, ValueInput>;

  /** @internal */
  constructor(map: MapFd, key: Codec<Key, KeyInput>, value: Codec<Value, ValueInput>) {
    super(map);
    this.#key = key;
    this.#value = value;
  }

  /** The value of a key, or undefined. With `lock`, while nobody holds its lock. */
  get(key: KeyInput, flag?: 'lock'): Value | undefined {
    const bytes = put(this.#key, this.map, 'key', key);
    return lookup(this.map, bytes, this.#value, flag === 'lock' ? BPF_F_LOCK : 0);
  }

  has(key: KeyInput): boolean {
    const bytes = put(this.#key, this.map, 'key', key);
    return mapLookupElem(this.map, bytes, this.map.elem.value.bytes);
  }

  /**
   * Creates or replaces an entry.
   *
   * @returns false when `noexist` found the key, or `exist` did not
   * @throws SysError 'E2BIG' when the map is full; RangeError for bytes of another length, BtfError for what its schema
   *   does not hold: nothing is written then
   */
  set(key: KeyInput, value: ValueInput, ...flags: readonly UpdateFlag[]): boolean {
    return update(this.map, this.#key, key, this.#value, value, flagBits(flags));
  }

  /** Removes an entry. @returns false when there was none */
  delete(key: KeyInput): boolean {
    return mapDeleteElem(this.map, put(this.#key, this.map, 'key', key));
  }

  /**
   * The value of a key, which is gone afterwards, in one step; undefined when there is none. Linux 5.14.
   *
   * @throws SysError 'ENOTSUPP' on an older kernel
   */
  getAndDelete(key: KeyInput): Value | undefined {
    const bytes = put(this.#key, this.map, 'key', key);
    return mapLookupAndDeleteElem(this.map, bytes, this.map.elem.value.bytes) ? take(this.#value, this.map) : undefined;
  }

  /**
   * The entries, in the kernel's order: thousands with one system call, or where the kernel has no batches (before 5.6) two
   * calls for each. Each entry that stays all the while comes once, unless others are deleted meanwhile by somebody else on
   * a kernel without batches. Those that come or go meanwhile are seen or missed. Deleting is safe, of any entry.
   */
  *entries(): IterableIterator<[key: Key, value: Value]> {
    const [key, value] = [this.#key, this.#value];
    for (const { keys, values, count } of chunksOf(this.map)) {
      const [keyView, valueView] = [viewOf(keys), viewOf(values)];
      for (let i = 0; i < count; i++)
        yield [key.decode(keys, keyView, i * key.size), value.decode(values, valueView, i * value.size)];
    }
  }

  /** The keys, as {@link entries}. */
  *keys(): IterableIterator<Key> {
    const key = this.#key;
    for (const { keys, count } of chunksOf(this.map)) {
      const view = viewOf(keys);
      for (let i = 0; i < count; i++) yield key.decode(keys, view, i * key.size);
    }
  }

  /** The values, as {@link entries}. */
  *values(): IterableIterator<Value> {
    const value = this.#value;
    for (const { values, count } of chunksOf(this.map)) {
      const view = viewOf(values);
      for (let i = 0; i < count; i++) yield value.decode(values, view, i * value.size);
    }
  }

  [Symbol.iterator](): IterableIterator<[key: Key, value: Value]> {
    return this.entries();
  }

  /** The number of entries. The kernel does not keep it: they are all gone through. */
  get size(): number {
    let size = 0;
    for (const { count } of chunksOf(this.map)) size += count;
    return size;
  }

  /** Removes the entries that are there now. */
  clear(): void {
    for (const { keys, count } of chunksOf(this.map)) this.#deleteAll(keys, count);
  }

  #deleteAll(keys: Uint8Array, count: number): void {
    const { size } = this.#key;
    let from = 0;
    try {
      // It ends at a key that somebody else has deleted.
      while (count > 1 && from < count) from += mapDeleteBatch(this.map, keys.subarray(from * size, count * size)) + 1;
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
    for (; from < count; from++) mapDeleteElem(this.map, keys.slice(from * size, (from + 1) * size));
  }
}

const FLAGS: Readonly<Record<UpdateFlag, number>> = { noexist: BPF_NOEXIST, exist: BPF_EXIST, lock: BPF_F_LOCK };

/** The kernel's bits. */
export function flagBits(flags: readonly UpdateFlag[]): number {
  let bits = BPF_ANY;
  for (let i = 0; i < flags.length; i++) {
    const bit = FLAGS[flags[i] as UpdateFlag];
    // Passed over, a name that was mistyped would replace what it was to leave.
    if (typeof bit !== 'number') throw new RangeError(`'${flags[i]}' is not a flag; they are noexist, exist, lock`);
    bits |= bit;
  }
  return bits;
}

export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
