import { bpfOrThrow } from './bpf.ts';
import { UnavailableError } from './error.ts';
import { Fd } from './fd.ts';
import { alloc, free, LE, type NativeMemory, withScope } from './memory.ts';
import { type MapType, mapTypes } from './uapi.ts';

/** What the kernel says of a map. Sizes in bytes. */
export interface MapInfo {
  readonly type: MapType;
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly name: string;
}

/** The attr of the element commands, with a key, a value and a next key, in one piece of memory that stays. */
export interface ElemMemory {
  readonly attr: DataView;
  readonly attrAddress: number;
  readonly key: Uint8Array;
  readonly keyAddress: bigint;
  readonly value: Uint8Array;
  readonly valueAddress: bigint;
  readonly nextKey: Uint8Array;
  readonly nextKeyAddress: bigint;
}

/** map_fd 0, key 8, value or next_key 16, flags 24. */
const ELEM_ATTR_BYTES = 32;

/**
 * Owns the descriptor of a map. The sizes are the kernel's own answer, never the caller's claim, because the kernel
 * reads and writes that many bytes whatever buffer it is given.
 */
export class MapFd extends Fd {
  readonly info: MapInfo;
  readonly #memory: NativeMemory;
  readonly #elem: ElemMemory;

  /**
   * Takes over `fd`, and closes it when it is not a map whose type this package knows.
   *
   * @throws SysError, UnavailableError
   */
  constructor(fd: number) {
    super(fd);
    try {
      this.info = mapInfo(fd);
      const { keySize, valueSize } = this.info;
      const valueAt = align8(ELEM_ATTR_BYTES + keySize);
      const nextKeyAt = align8(valueAt + valueSize);
      this.#memory = alloc(nextKeyAt + keySize);
      const { address, bytes, view } = this.#memory;
      this.#elem = {
        attr: view,
        attrAddress: Number(address),
        key: bytes.subarray(ELEM_ATTR_BYTES, ELEM_ATTR_BYTES + keySize),
        keyAddress: address + BigInt(ELEM_ATTR_BYTES),
        value: bytes.subarray(valueAt, valueAt + valueSize),
        valueAddress: address + BigInt(valueAt),
        nextKey: bytes.subarray(nextKeyAt, nextKeyAt + keySize),
        nextKeyAddress: address + BigInt(nextKeyAt),
      };
    } catch (error) {
      super.close();
      throw error;
    }
    this.#elem.attr.setUint32(0, fd, LE);
    this.#elem.attr.setBigUint64(8, this.#elem.keyAddress, LE);
    this.#elem.attr.setBigUint64(16, this.#elem.valueAddress, LE);
  }

  /**
   * The memory of the element commands, while the map is open.
   *
   * @throws TypeError after close or disown, when the memory is gone
   * @internal
   */
  get elem(): ElemMemory {
    void this.fd;
    return this.#elem;
  }

  override close(): void {
    if (this.closed) return;
    free(this.#memory);
    super.close();
  }

  override disown(): number {
    const fd = super.disown();
    free(this.#memory);
    return fd;
  }
}

/** struct bpf_map_info: type 0, id 4, key_size 8, value_size 12, max_entries 16, map_flags 20, name 24. */
const INFO_BYTES = 40;

function mapInfo(fd: number): MapInfo {
  return withScope((scope) => {
    const info = scope.alloc(INFO_BYTES);
    const attr = scope.alloc(16);
    attr.view.setUint32(0, fd, LE);
    attr.view.setUint32(4, INFO_BYTES, LE);
    attr.view.setBigUint64(8, info.address, LE);
    bpfOrThrow('BPF_OBJ_GET_INFO_BY_FD', attr);

    const u32 = (at: number): number => info.view.getUint32(at, LE);
    const type = (Object.keys(mapTypes) as MapType[]).find((name) => mapTypes[name] === u32(0));
    // Of a type that is not known, how much the kernel writes for a value is not known either.
    if (type === undefined)
      throw new UnavailableError(
        `map ${u32(4)} is of type ${u32(0)}, which this package cannot read: it knows ${Object.keys(mapTypes).join(', ')}.`,
      );
    const name = info.bytes.subarray(24, 40);
    return {
      type,
      id: u32(4),
      keySize: u32(8),
      valueSize: u32(12),
      maxEntries: u32(16),
      name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    };
  });
}

const align8 = (n: number): number => Math.ceil(n / 8) * 8;
