import { type HasFd, mapDeleteElem, mapUpdateElem } from '@bpf/sys';
import { IndexedMap } from './array-map.ts';
import { type Codec, lookup, numberOf, put } from './codec.ts';
import { KeyedMap } from './fd-map.ts';

/** Where packets are redirected to. */
export interface Redirect {
  /** The number of a network interface (devmap, devmap_hash), or how many packets may wait for a CPU (cpumap). */
  readonly target: number;
  /** The id of the XDP program that runs on them there; undefined without one. */
  readonly progId: number | undefined;
}

interface RedirectInput {
  readonly target: number;
  readonly prog: HasFd | undefined;
}

/**
 * `struct bpf_devmap_val` and `struct bpf_cpumap_val`: target 0, and with 8 bytes a program 4, by descriptor or id.
 * Encoding throws a RangeError for no number of 32 bits, and for a program where a map has no room for one.
 */
function redirectCodec(size: number): Codec<Redirect, RedirectInput> {
  return {
    size,
    decode(_, view, at) {
      const id = size >= 8 ? view.getUint32(at + 4, true) : 0;
      return { target: view.getUint32(at, true), progId: id || undefined };
    },
    encode({ target, prog }, _, view, at) {
      if (!Number.isInteger(target) || target < 0 || target > 0xffff_ffff)
        throw new RangeError(`the target is ${target}; it must be an integer in 0..4294967295`);
      if (prog !== undefined && size < 8)
        throw new RangeError(
          'the values of this map have 4 bytes, and no room for a program: make it with valueSize 8',
        );
      view.setUint32(at, target, true);
      // A descriptor of 0 is none, as the kernel has it.
      if (prog !== undefined) view.setUint32(at + 4, numberOf(prog), true);
    },
  };
}

/**
 * What XDP programs redirect to by bpf_redirect_map(): network interfaces (devmap, Linux 4.14), or CPUs, which are the
 * indexes (cpumap, 4.15). With each may go an XDP program that runs on the packets there (devmap 5.8, cpumap 5.9).
 */
export class RedirectArray extends IndexedMap {
  readonly #value: Codec<Redirect, RedirectInput> = redirectCodec(this.info.valueSize);

  /** What is at an index; undefined when nothing is. @throws RangeError beyond the end */
  get(index: number): Redirect | undefined {
    return lookup(this.map, this.key(index), this.#value);
  }

  /**
   * Puts an interface, or the queue of a CPU, at an index.
   *
   * @param target see {@link Redirect.target}: a queue has 1 to 16384 places
   * @param prog of type xdp, loaded as `xdp_devmap` or `xdp_cpumap`, for a map that was made with `valueSize` 8
   * @throws RangeError beyond the end, and for a program without room; SysError 'EINVAL' for an interface that there is not,
   *   'EOVERFLOW' for a queue that is too long, 'ENODEV' for a CPU that there cannot be
   * @example
   * ```ts
   * devices.set(0, ifIndex('eth1'));
   * ```
   */
  set(index: number, target: number, prog?: HasFd): void {
    const bytes = put(this.#value, this.map, 'value', { target, prog });
    mapUpdateElem(this.map, this.key(index), bytes);
  }

  /** Empties a place; that it was empty is as good. @throws RangeError beyond the end */
  delete(index: number): void {
    mapDeleteElem(this.map, this.key(index));
  }
}

/** As {@link RedirectArray}, network interfaces by key (devmap_hash). Linux 5.4. */
export class RedirectHash<Key = Uint8Array, KeyInput = Key> extends KeyedMap<Key, KeyInput> {
  readonly #value: Codec<Redirect, RedirectInput> = redirectCodec(this.info.valueSize);

  /** The interface of a key; undefined when there is none. */
  get(key: KeyInput): Redirect | undefined {
    return lookup(this.map, this.keyBytes(key), this.#value);
  }

  /** @throws as {@link RedirectArray.set}; SysError 'E2BIG' when the map is full */
  set(key: KeyInput, target: number, prog?: HasFd): void {
    const bytes = put(this.#value, this.map, 'value', { target, prog });
    mapUpdateElem(this.map, this.keyBytes(key), bytes);
  }
}
