import { type HasFd, type MapFd, mapDeleteElem, mapUpdateElem } from '@bpf/sys';
import { IndexedMap } from './array-map.ts';
import { BpfMap } from './bpf-map.ts';
import { type Codec, handleCodec, lookup, put } from './codec.ts';
import { keysOneByOne } from './walk.ts';

/**
 * An array of what a program jumps or sends to, or asks about: programs (prog_array), perf events (perf_event_array), cgroups
 * (cgroup_array), AF_XDP sockets (xskmap), and those of its subclasses. The kernel does not say what is in it, except of
 * those that have `get`. What goes in is held until it is replaced or deleted; a prog_array lets go of all when nothing holds
 * it any more, though programs still run.
 */
export class FdArray extends IndexedMap {
  readonly #handle: Codec<number, HasFd | number> = handleCodec(this.info.valueSize);

  /** Puts it at an index. @throws RangeError beyond the end; SysError 'EINVAL' or 'EBADF' for a descriptor of another kind */
  set(index: number, object: HasFd): void {
    const bytes = put(this.#handle, this.map, 'value', object);
    mapUpdateElem(this.map, this.key(index), bytes);
  }

  /** Empties a place. @returns false when it was empty: an xskmap does not tell, and says true */
  delete(index: number): boolean {
    return mapDeleteElem(this.map, this.key(index));
  }
}

/** As {@link FdArray}, of programs or maps, and says by id what is in it. */
export class IdArray extends FdArray {
  readonly #id: Codec<number, never> = handleCodec(this.info.valueSize);

  /** The id of what is at an index; undefined when nothing is. @throws RangeError beyond the end */
  get(index: number): number | undefined {
    return lookup(this.map, this.key(index), this.#id);
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
  readonly #handle: Codec<number, HasFd | number> = handleCodec(this.info.valueSize);

  /** @throws SysError 'EINVAL' or 'EBADF' for a descriptor of another kind, 'E2BIG' when the map is full */
  set(key: KeyInput, object: HasFd): void {
    const bytes = put(this.#handle, this.map, 'value', object);
    mapUpdateElem(this.map, this.keyBytes(key), bytes);
  }
}

/** Maps by key (hash_of_maps), and says by id which they are. */
export class HashOfMaps<Key = Uint8Array, KeyInput = Key> extends FdHash<Key, KeyInput> {
  readonly #id: Codec<number, never> = handleCodec(this.info.valueSize);

  /** The id of a key's map: `openMap({ id })` opens it. */
  get(key: KeyInput): number | undefined {
    return lookup(this.map, this.keyBytes(key), this.#id);
  }
}
