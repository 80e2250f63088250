import {
  type MapFd,
  type MapInfo,
  mapDeleteElem,
  mapGetNextKey,
  mapLookupElem,
  mapUpdateElem,
  type UpdateFlag,
} from '@bpf/sys';

/** Owns a map. Closing it leaves the map alive as long as a program, a pin or another process holds it. */
abstract class BpfMap implements Disposable {
  readonly #fd: MapFd;

  constructor(fd: MapFd) {
    this.#fd = fd;
  }

  /** The descriptor's number, for what needs this map. @throws TypeError after close */
  get fd(): number {
    return this.#fd.fd;
  }

  /** Type, id, name, sizes in bytes and capacity, as the kernel has them. */
  get info(): MapInfo {
    return this.#fd.info;
  }

  /** Closes the descriptor. A second close does nothing. */
  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected lookup(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.info.valueSize);
    return mapLookupElem(this.#fd, key, value) ? value : undefined;
  }

  protected update(key: Uint8Array, value: Uint8Array, flag?: UpdateFlag): boolean {
    return mapUpdateElem(this.#fd, key, value, flag);
  }

  protected remove(key: Uint8Array): boolean {
    return mapDeleteElem(this.#fd, key);
  }

  /** Copies the key after `key`, or the first, into `next`; false when there are no more. */
  protected nextKey(key: Uint8Array | undefined, next: Uint8Array): boolean {
    return mapGetNextKey(this.#fd, key, next);
  }
}

/** A hash map: keys and values are bytes, of exactly the map's sizes. */
export class HashMap extends BpfMap {
  /** The value of a key: a copy, or undefined. */
  get(key: Uint8Array): Uint8Array | undefined {
    return this.lookup(key);
  }

  has(key: Uint8Array): boolean {
    return this.lookup(key) !== undefined;
  }

  /**
   * Creates or replaces an entry, or with `noexist` only creates, with `exist` only replaces it.
   *
   * @returns false when the flag forbade it
   * @throws SysError 'E2BIG' when the map is full; RangeError for bytes of another length
   */
  set(key: Uint8Array, value: Uint8Array, flag: UpdateFlag = 'any'): boolean {
    return this.update(key, value, flag);
  }

  /** Removes an entry. @returns false when there was none */
  delete(key: Uint8Array): boolean {
    return this.remove(key);
  }

  /**
   * The entries, in the kernel's order, two system calls each. Entries that come or go meanwhile may be missed or seen;
   * deleting the one just yielded is safe. When another process deletes it, the kernel starts again at the first key,
   * and what was seen is seen again: the walk then ends after `maxEntries` steps at the latest.
   */
  *entries(): IterableIterator<[key: Uint8Array, value: Uint8Array]> {
    const { keySize, maxEntries } = this.info;
    let key = new Uint8Array(keySize);
    let more = this.nextKey(undefined, key);
    for (let step = 0; more && step < maxEntries; step++) {
      // The next key is asked for before the caller gets this one, and may delete it.
      const next = new Uint8Array(keySize);
      more = this.nextKey(key, next);
      const value = this.lookup(key);
      if (value) yield [key, value];
      key = next;
    }
  }

  [Symbol.iterator](): IterableIterator<[key: Uint8Array, value: Uint8Array]> {
    return this.entries();
  }
}

/** An array map: `length` values of the same size, all zero at first, that cannot be removed. */
export class ArrayMap extends BpfMap {
  /** The number of values. */
  get length(): number {
    return this.info.maxEntries;
  }

  /** A copy of the value at an index. @throws RangeError beyond the end */
  get(index: number): Uint8Array {
    return this.lookup(this.#key(index)) ?? this.#outside(index);
  }

  /** Replaces the value at an index. @throws RangeError beyond the end, or for a value of another length */
  set(index: number, value: Uint8Array): void {
    this.update(this.#key(index), value);
  }

  /** The values in order, one system call each. */
  *entries(): IterableIterator<[index: number, value: Uint8Array]> {
    for (let index = 0; index < this.length; index++) yield [index, this.get(index)];
  }

  [Symbol.iterator](): IterableIterator<[index: number, value: Uint8Array]> {
    return this.entries();
  }

  #key(index: number): Uint8Array {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) this.#outside(index);
    return new Uint8Array(Uint32Array.of(index).buffer);
  }

  #outside(index: number): never {
    throw new RangeError(`index ${index} is outside array map '${this.info.name}', which has ${this.length} values`);
  }
}
