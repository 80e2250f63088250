import { encodeStruct } from './attr.ts';
import { possibleCpus } from './cpus.ts';
import { UnavailableError } from './error.ts';
import { Fd } from './fd.ts';
import { type MapInfo, mapGetInfo } from './map-info.ts';
import { alloc, free, type NativeMemory } from './memory.ts';

/** map_fd 0, key 8, value or next_key 16, flags 24: the attr of the element commands. */
const ATTR_BYTES = 32;
const FLAGS_AT = 24;

/**
 * The attrs of the element commands with a key, a value and a next key behind them, in one piece of memory that stays as
 * long as the map is open: an operation stores the key, makes one call and copies the value. What the attrs say never
 * changes, but for the flags.
 */
export interface ElemMemory {
  /** The addresses of three attrs: of key and value; of key and next key; of the next key alone, for the first one. */
  readonly attr: number;
  readonly nextAttr: number;
  readonly firstAttr: number;
  /** What the first attr has as flags, and the two words of it that say so. */
  flags: number;
  readonly flagWords: Uint32Array;
  readonly key: ElemPart;
  /** What the kernel reads and writes for a value: of a per-CPU map, that of every possible CPU. */
  readonly value: ElemPart;
  readonly nextKey: Uint8Array;
  /** A bloom filter is asked for a value, not for that of a key. */
  readonly asksWithValue: boolean;
}

/** A key or a value in that memory. */
interface ElemPart {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Owns the descriptor of a map. The sizes are the kernel's own answer, never the caller's claim, because the kernel
 * reads and writes that many bytes whatever buffer it is given.
 */
export class MapFd extends Fd {
  readonly #info: MapInfo;
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
      this.#info = Object.freeze(mapGetInfo({ fd }));
    } catch (error) {
      super.close();
      throw error;
    }
  }

  /** What the kernel says of it. */
  get info(): MapInfo {
    return this.#info;
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
   * The memory of the element commands, while the map is open: it is asked for before each use and never kept, because
   * another map has it after close. Bytes that are written there already, and passed as key or value, are not copied.
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
    const keyAt = 3 * ATTR_BYTES;
    const valueAt = align8(keyAt + keySize);
    const nextKeyAt = align8(valueAt + valueSize);
    const memory = alloc(nextKeyAt + keySize);
    const { address, bytes } = memory;
    // A map without keys refuses the address of one.
    const key = keySize > 0 ? address + keyAt : 0;
    const [value, nextKey] = [address + valueAt, address + nextKeyAt];
    bytes.set(encodeStruct('map_elem', { map_fd: fd, key, value }), 0);
    bytes.set(encodeStruct('map_elem', { map_fd: fd, key, next_key: nextKey }), ATTR_BYTES);
    bytes.set(encodeStruct('map_elem', { map_fd: fd, next_key: nextKey }), 2 * ATTR_BYTES);
    this.#memory = memory;
    this.#elem = {
      attr: address,
      nextAttr: address + ATTR_BYTES,
      firstAttr: address + 2 * ATTR_BYTES,
      flags: 0,
      flagWords: new Uint32Array(bytes.buffer, FLAGS_AT, 2),
      key: part(bytes, keyAt, keySize),
      value: part(bytes, valueAt, valueSize),
      nextKey: bytes.subarray(nextKeyAt, nextKeyAt + keySize),
      asksWithValue: this.info.type === 'bloom_filter',
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

const part = ({ buffer, byteOffset }: Uint8Array, at: number, length: number): ElemPart => ({
  bytes: new Uint8Array(buffer, byteOffset + at, length),
  view: new DataView(buffer, byteOffset + at, length),
});

const isPerCpu = (type: string): boolean => type.startsWith('percpu_') || type === 'lru_percpu_hash';
const align8 = (n: number): number => Math.ceil(n / 8) * 8;
