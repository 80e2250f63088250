import { type HasFd, mapDeleteElem, mapLookupElem, mapUpdateElem } from '@bpf/sys';
import { IndexedMap } from './array-map.ts';
import { KeyedMap, numberOf } from './fd-map.ts';

/** Where packets are redirected to. */
export interface Redirect {
  /** The number of a network interface (devmap, devmap_hash), or how many packets may wait for a CPU (cpumap). */
  readonly target: number;
  /** The id of the XDP program that runs on them there; undefined without one. */
  readonly progId: number | undefined;
}

/** `struct bpf_devmap_val` and `struct bpf_cpumap_val`: target 0, and with 8 bytes a program 4, by descriptor or id. */
class RedirectValue {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  /** @throws RangeError for no number of 32 bits, and for a program where a map has no room for one */
  put(target: number, prog: HasFd | undefined): Uint8Array {
    if (!Number.isInteger(target) || target < 0 || target > 0xffff_ffff)
      throw new RangeError(`the target is ${target}; it must be an integer in 0..4294967295`);
    if (prog !== undefined && this.bytes.length < 8)
      throw new RangeError('the values of this map have 4 bytes, and no room for a program: make it with valueSize 8');
    this.#view.setUint32(0, target, true);
    // A descriptor of 0 is none, as the kernel has it.
    if (this.bytes.length >= 8) this.#view.setUint32(4, prog === undefined ? 0 : numberOf(prog), true);
    return this.bytes;
  }

  get(): Redirect {
    const id = this.bytes.length >= 8 ? this.#view.getUint32(4, true) : 0;
    return { target: this.#view.getUint32(0, true), progId: id || undefined };
  }
}

/**
 * What XDP programs redirect to by bpf_redirect_map(): network interfaces (devmap, Linux 4.14), or CPUs, which are the
 * indexes (cpumap, 4.15). With each may go an XDP program that runs on the packets there (devmap 5.8, cpumap 5.9).
 */
export class RedirectArray extends IndexedMap {
  readonly #value: RedirectValue = new RedirectValue(this.info.valueSize);

  /** What is at an index; undefined when nothing is. @throws RangeError beyond the end */
  get(index: number): Redirect | undefined {
    return mapLookupElem(this.map, this.key(index), this.#value.bytes) ? this.#value.get() : undefined;
  }

  /**
   * Puts an interface, or the queue of a CPU, at an index.
   *
   * @param target see {@link Redirect.target}: a queue has 1 to 16384 places
   * @param prog of type xdp, loaded as `xdp_devmap` or `xdp_cpumap`, for a map that was made with `valueSize` 8
   * @throws RangeError beyond the end, and for a program without room; SysError 'EINVAL' for an interface that there is not, 'EOVERFLOW' for a queue that is
   *   too long, 'ENODEV' for a CPU that there cannot be
   * @example
   * ```ts
   * devices.set(0, ifIndex('eth1'));
   * ```
   */
  set(index: number, target: number, prog?: HasFd): void {
    mapUpdateElem(this.map, this.key(index), this.#value.put(target, prog));
  }

  /** Empties a place; that it was empty is as good. @throws RangeError beyond the end */
  delete(index: number): void {
    mapDeleteElem(this.map, this.key(index));
  }
}

/** As {@link RedirectArray}, network interfaces by key (devmap_hash). Linux 5.4. */
export class RedirectHash<Key = Uint8Array, KeyInput = Key> extends KeyedMap<Key, KeyInput> {
  readonly #value: RedirectValue = new RedirectValue(this.info.valueSize);

  /** The interface of a key; undefined when there is none. */
  get(key: KeyInput): Redirect | undefined {
    return mapLookupElem(this.map, this.keyBytes(key), this.#value.bytes) ? this.#value.get() : undefined;
  }

  /** @throws as {@link RedirectArray.set}; SysError 'E2BIG' when the map is full */
  set(key: KeyInput, target: number, prog?: HasFd): void {
    mapUpdateElem(this.map, this.keyBytes(key), this.#value.put(target, prog));
  }
}
