import { type HasFd, type MapFd, mapDeleteElem, mapLookupElem, mapUpdateElem } from '@bpf/sys';
import { IndexedMap } from './array-map.ts';
import { BpfMap } from './bpf-map.ts';
import { type Codec, put } from './codec.ts';
import { keysOneByOne } from './walk.ts';

/** @throws RangeError for what is no descriptor or id, as of a foreign object: it would become 0 on the way to the kernel */
export function numberOf(handle: HasFd | number): number {
  const number = typeof handle === 'number' ? handle : handle.fd;
  if (Number.isInteger(number) && number >= 0 && number <= 0xffff_ffff) return number;
  const what = typeof handle === 'number' ? 'id' : 'descriptor';
  throw new RangeError(`the ${what} is ${number}; it must be an integer from 0 on`);
}

/** A descriptor or an id as a value of 4 bytes, or 8 where a map has room for it. */
export class Handle {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  put(handle: HasFd | number): Uint8Array {
    this.#view.setUint32(0, numberOf(handle), true);
    return this.bytes;
  }

  get(): number {
    return this.#view.getUint32(0, true);
  }
}

/**
 * An array of what a program jumps or sends to, or asks about: programs (prog_array), perf events (perf_event_array), cgroups
 * (cgroup_array), AF_XDP sockets (xskmap), and those of its subclasses. The kernel does not say what is in it, except of
 * those that have `get`. What goes in is held until it is replaced or deleted; a prog_array lets go of all when nothing holds
 * it any more, though programs still run.
 */
export class FdArray extends IndexedMap {
  readonly #handle: Handle = new Handle(this.info.valueSize);

  /** Puts it at an index. @throws RangeError beyond the end; SysError 'EINVAL' or 'EBADF' for a descriptor of another kind */
  set(index: number, object: HasFd): void {
    mapUpdateElem(this.map, this.key(index), this.#handle.put(object));
  }

  /** Empties a place. @returns false when it was empty: an xskmap does not tell, and says true */
  delete(index: number): boolean {
    return mapDeleteElem(this.map, this.key(index));
  }
}

/** As {@link FdArray}, of programs or maps, and says by id what is in it. */
export class IdArray extends FdArray {
  readonly #found: Handle = new Handle(this.info.valueSize);

  /** The id of what is at an index; undefined when nothing is. @throws RangeError beyond the end */
  get(index: number): number | undefined {
    return mapLookupElem(this.map, this.key(index), this.#found.bytes) ? this.#found.get() : undefined;
  }
}

/** What of a hash the maps of its kind share: keys. */
export abstract class KeyedMap<Key, KeyInput> extends BpfMap {
  readonly #key: Codec<Key, KeyInput>;

  /** @internal */
  constructor(map: MapFd, key: Codec<Key, KeyInput>) {
    super(map);
    this.#key = key;
  }

  /** Removes it. @returns false when there was none */
  delete(key: KeyInput): boolean {
    return mapDeleteElem(this.map, this.keyBytes(key));
  }

  *keys(): IterableIterator<Key> {
    for (const bytes of keysOneByOne(this.map, this.info.maxEntries))
      yield this.#key.decode(bytes, new DataView(bytes.buffer), 0);
  }

  protected keyBytes(key: KeyInput): Uint8Array {
    return put(this.#key, this.map, 'key', key);
  }
}

/** Maps, or sockets, by key. */
export class FdHash<Key = Uint8Array, KeyInput = Key> extends KeyedMap<Key, KeyInput> {
  readonly #handle: Handle = new Handle(this.info.valueSize);

  /** @throws SysError 'EINVAL' or 'EBADF' for a descriptor of another kind, 'E2BIG' when the map is full */
  set(key: KeyInput, object: HasFd): void {
    mapUpdateElem(this.map, this.keyBytes(key), this.#handle.put(object));
  }
}

/** Maps by key (hash_of_maps), and says by id which they are. */
export class HashOfMaps<Key = Uint8Array, KeyInput = Key> extends FdHash<Key, KeyInput> {
  readonly #found: Handle = new Handle(this.info.valueSize);

  /** The id of a key's map: `openMap({ id })` opens it. */
  get(key: KeyInput): number | undefined {
    return mapLookupElem(this.map, this.keyBytes(key), this.#found.bytes) ? this.#found.get() : undefined;
  }
}
