import {
  BPF_ANY,
  BPF_EXIST,
  type MapFd,
  mapLookupAndDeleteElem,
  mapLookupElem,
  mapUpdateElem,
  SysError,
} from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, lookup, put, take } from './codec.ts';

const NO_KEY: Uint8Array = new Uint8Array(0);

/** A queue (first in, first out) or a stack (last in, first out) of values. Linux 4.20. */
export class Queue<Value = Uint8Array, ValueInput = Value> extends BpfMap {
  readonly #value: Codec<Value, ValueInput>;

  /** @internal */
  constructor(map: MapFd, value: Codec<Value, ValueInput>) {
    super(map);
    this.#value = value;
  }

  /**
   * Adds a value.
   *
   * @param options.evict when it is full, drop the oldest one
   * @returns false when it is full
   */
  push(value: ValueInput, options?: { readonly evict?: boolean }): boolean {
    try {
      // BPF_EXIST is how the kernel spells it.
      return mapUpdateElem(
        this.map,
        NO_KEY,
        put(this.#value, this.map, 'value', value),
        options?.evict ? BPF_EXIST : BPF_ANY,
      );
    } catch (error) {
      if (error instanceof SysError && error.code === 'E2BIG') return false;
      throw error;
    }
  }

  /** The next value, which stays; undefined when there is none. */
  peek(): Value | undefined {
    return lookup(this.map, NO_KEY, this.#value);
  }

  /** The next value, which is gone afterwards; undefined when there is none. */
  pop(): Value | undefined {
    return mapLookupAndDeleteElem(this.map, NO_KEY, this.map.elem.value.bytes)
      ? take(this.#value, this.map)
      : undefined;
  }
}

/** A bloom filter: says of a value that it was never added, or that it may have been. Linux 5.16. */
export class BloomFilter<ValueInput = Uint8Array> extends BpfMap {
  readonly #value: Codec<unknown, ValueInput>;

  /** @internal */
  constructor(map: MapFd, value: Codec<unknown, ValueInput>) {
    super(map);
    this.#value = value;
  }

  add(value: ValueInput): void {
    mapUpdateElem(this.map, NO_KEY, put(this.#value, this.map, 'value', value));
  }

  /** False when it was never added. */
  mayHave(value: ValueInput): boolean {
    return mapLookupElem(this.map, NO_KEY, put(this.#value, this.map, 'value', value));
  }
}
