import { possibleCpus } from './cpus.ts';
import { UnavailableError } from './error.ts';
import { Fd } from './fd.ts';
import { getLibc } from './libc.ts';
import { type MapInfo, mapGetInfo } from './map-info.ts';
import { alloc, free, type NativeMemory } from './memory.ts';

/** map_fd 0, key 8, value or next_key 16, flags 24: the attr of the element commands. */
const ATTR_BYTES = 32;

/**
 * The attr of the element commands with a key, a value and a next key behind it, in one piece of memory that stays as long
 * as the map is open: an operation stores the key, makes one call and copies the value.
 */
export interface ElemMemory {
  readonly attrAddress: number;
  /** All of it, as bytes and as 32-bit words. */
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly keyAt: number;
  readonly keySize: number;
  readonly valueAt: number;
  /** What the kernel reads and writes for a value: of a per-CPU map, that of every possible CPU. */
  readonly valueSize: number;
  readonly nextKeyAt: number;
}

/**
 * Owns the descriptor of a map. The sizes are the kernel's own answer, never the caller's claim, because the kernel
 * reads and writes that many bytes whatever buffer it is given.
 */
export class MapFd extends Fd {
  readonly info: MapInfo;
  #memory: NativeMemory | undefined;
  #elem: ElemMemory | undefined;

  /**
   * Takes over `fd`, and closes it when it is not a map.
   *
   * @throws SysError, UnavailableError
   */
  constructor(fd: number) {
    super(fd);
    try {
      this.info = mapGetInfo({ fd });
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /**
   * The bytes of a value as the kernel reads and writes them: of a per-CPU map, `valueSize` rounded up to 8 for each
   * possible CPU.
   *
   * @throws UnavailableError for a map type that this package does not know, of which it is not known either
   */
  get valueBytes(): number {
    const { type, id, valueSize } = this.info;
    if (typeof type === 'number')
      throw new UnavailableError(
        `map ${id} is of type ${type}, which this package does not know, nor how many bytes the kernel writes for a value: a newer one may.`,
      );
    return isPerCpu(type) ? align8(valueSize) * possibleCpus() : valueSize;
  }

  /**
   * The memory of the element commands, while the map is open.
   *
   * @throws TypeError after close or disown, when the memory is gone; UnavailableError
   * @internal
   */
  get elem(): ElemMemory {
    return this.#elem ?? this.#open();
  }

  #open(): ElemMemory {
    const { fd } = this;
    const { keySize } = this.info;
    const valueSize = this.valueBytes;
    const valueAt = align8(ATTR_BYTES + keySize);
    const nextKeyAt = align8(valueAt + valueSize);
    const memory = alloc(align8(nextKeyAt + keySize));
    const { address, bytes, view } = memory;
    const words = new Uint32Array(view.buffer, 0, bytes.length / 4);
    words[0] = fd;
    // A map without keys refuses the address of one.
    if (keySize > 0) putAddress(words, 2, address + ATTR_BYTES);
    putAddress(words, 4, address + valueAt);
    this.#memory = memory;
    this.#elem = {
      attrAddress: address,
      bytes,
      words,
      keyAt: ATTR_BYTES,
      keySize,
      valueAt,
      valueSize,
      nextKeyAt,
    };
    return this.#elem;
  }

  override close(): void {
    this.#release();
    super.close();
  }

  override disown(): number {
    const fd = super.disown();
    this.#release();
    return fd;
  }

  #release(): void {
    if (this.#memory) free(this.#memory);
    this.#memory = undefined;
    this.#elem = undefined;
  }
}

/** Stores an address as two words: stores of bigints cost more than the rest of a call. */
export function putAddress(words: Uint32Array, at: number, address: number): void {
  words[at] = address;
  words[at + 1] = address / 2 ** 32;
}

const isPerCpu = (type: string): boolean => type.startsWith('percpu_') || type === 'lru_percpu_hash';
const align8 = (n: number): number => Math.ceil(n / 8) * 8;
