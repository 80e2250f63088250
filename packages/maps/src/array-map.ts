import { BPF_F_LOCK, type MapFd, type Mapping, mapFlags, mapLookupElem, mapUpdateElem, mmap } from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, put, take } from './codec.ts';
import { viewOf } from './hash-map.ts';
import { chunksOf } from './walk.ts';

const KEY_BYTES = 4;

/** What of an array the maps of its kind share: an index within its bounds. */
export abstract class IndexedMap extends BpfMap {
  readonly #index: Uint8Array = new Uint8Array(KEY_BYTES);
  readonly #word: Uint32Array = new Uint32Array(this.#index.buffer);

  /** The number of places. */
  get length(): number {
    return this.info.maxEntries;
  }

  /** @throws RangeError beyond the end */
  protected key(index: number): Uint8Array {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) this.outside(index);
    this.#word[0] = index;
    return this.#index;
  }

  protected outside(index: number): never {
    const { type, name } = this.info;
    throw new RangeError(`index ${index} is outside ${type} map '${name}', which has ${this.length} values`);
  }
}

/**
 * An array: `length` values of the same size, all zero at first, that cannot be removed; of percpu_array, each is an array,
 * one for each possible CPU.
 */
export class ArrayMap<Value = Uint8Array, ValueInput = Value> extends IndexedMap {
  readonly #codec: Codec<Value, ValueInput>;

  /** @internal */
  constructor(map: MapFd, value: Codec<Value, ValueInput>) {
    super(map);
    this.#codec = value;
  }

  /** The value at an index. @throws RangeError beyond the end */
  get(index: number, flag?: 'lock'): Value {
    if (!mapLookupElem(this.map, this.key(index), this.map.elem.value.bytes, flag === 'lock' ? BPF_F_LOCK : 0))
      this.outside(index);
    return take(this.#codec, this.map);
  }

  /** Replaces the value at an index. @throws RangeError beyond the end, and for bytes of another length; BtfError */
  set(index: number, value: ValueInput, flag?: 'lock'): void {
    const bytes = put(this.#codec, this.map, 'value', value);
    mapUpdateElem(this.map, this.key(index), bytes, flag === 'lock' ? BPF_F_LOCK : 0);
  }

  /** The values in order, thousands with one system call. */
  *values(): IterableIterator<Value> {
    const codec = this.#codec;
    for (const { values, count } of chunksOf(this.map)) {
      const view = viewOf(values);
      for (let i = 0; i < count; i++) yield codec.decode(values, view, i * codec.size);
    }
  }

  /** Indexes and values, in order. */
  *entries(): IterableIterator<[index: number, value: Value]> {
    let index = 0;
    for (const value of this.values()) yield [index++, value];
  }

  [Symbol.iterator](): IterableIterator<[index: number, value: Value]> {
    return this.entries();
  }

  /**
   * Maps the values into memory, where they are read and written without a system call: what a program stores is seen at
   * once. For an array that was made with the flag 'mmapable'. Linux 5.5.
   *
   * @throws TypeError for an array that was not; SysError
   * @example
   * ```ts
   * using live = counts.mmap();
   * live.u32[0]; // the lower half of the first value
   * ```
   */
  mmap(): MappedArray {
    if ((this.info.flags & mapFlags.mmapable) === 0)
      throw new TypeError(
        `${this.info.type} map '${this.info.name}' cannot be mapped: create it with the flag 'mmapable'`,
      );
    return new MappedArray(this.map);
  }
}

/** The values of an array in memory, each at a multiple of `stride`, until it is closed. */
export class MappedArray implements Disposable {
  /** Bytes from one value to the next: the value's, rounded up to 8. */
  readonly stride: number;
  readonly #mapping: Mapping;
  readonly #length: number;
  #u32: Uint32Array | undefined;
  #u64: BigUint64Array | undefined;

  /** @internal */
  constructor(map: MapFd) {
    const { valueSize, maxEntries } = map.info;
    this.stride = Math.ceil(valueSize / 8) * 8;
    this.#length = this.stride * maxEntries;
    this.#mapping = mmap({ fd: map.fd, length: this.#length, prot: 'read-write' });
  }

  /** All of it. @throws TypeError after close */
  get bytes(): Uint8Array {
    return this.#mapping.bytes.subarray(0, this.#length);
  }

  /** As words of 32 bits: a value of 64 bits is two, the lower half first, and no bigint is made. @throws TypeError after close */
  get u32(): Uint32Array {
    const { bytes } = this.#mapping;
    this.#u32 ??= new Uint32Array(bytes.buffer, bytes.byteOffset, this.#length / 4);
    return this.#u32;
  }

  /** As words of 64 bits. @throws TypeError after close */
  get u64(): BigUint64Array {
    const { bytes } = this.#mapping;
    this.#u64 ??= new BigUint64Array(bytes.buffer, bytes.byteOffset, this.#length / 8);
    return this.#u64;
  }

  close(): void {
    this.#mapping.unmap();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
