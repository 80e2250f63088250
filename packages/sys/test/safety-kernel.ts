import { getLibc, type Libc } from '../src/libc.ts';
import { LE } from '../src/memory.ts';
import { BPF_CMD, mapTypes, structs } from '../src/uapi.gen.ts';

/** Bytes that the fake kernel was told of, from the address on. */
interface Range {
  readonly at: number;
  readonly bytes: number;
}

/** What a value of a map is filled with when it is read, and a key. */
export const VALUE = 0xaa;
export const KEY = 0xbb;

/**
 * Stands in for the kernel, so that it can be counted what reaches it, and what it is told of: it writes as many bytes as
 * the real one would for a map of these sizes, wherever it is told to.
 */
export class FakeKernel implements Disposable {
  /** Calls, but for those that open, ask and close. */
  calls = 0;
  /** The ranges of the last call: they must not overlap. */
  ranges: Range[] = [];
  /** The key of the last call that had one. */
  key: Uint8Array = new Uint8Array();
  /** How the next batches fail, and what they leave in `count`: nothing when it is undefined. */
  failures: { readonly errno: number; readonly count?: number }[] = [];
  readonly #libc = getLibc() as { -readonly [Name in keyof Libc]: Libc[Name] };
  readonly #real = { ...this.#libc };
  readonly #sizes: { readonly type: keyof typeof mapTypes; readonly keySize: number; readonly valueSize: number };
  readonly #valueBytes: number;

  /** @param valueBytes what it reads and writes for a value */
  constructor(type: keyof typeof mapTypes, keySize: number, valueSize: number, valueBytes: number = valueSize) {
    this.#sizes = { type, keySize, valueSize };
    this.#valueBytes = valueBytes;
    this.#libc.syscall = (number, ...args) => this.#call(number, args);
    this.#libc.syscall6 = () => {
      this.calls++;
      return 0;
    };
  }

  [Symbol.dispose](): void {
    this.#libc.syscall = this.#real.syscall;
    this.#libc.syscall6 = this.#real.syscall6;
  }

  #call(number: number, [command = 0, address = 0, length = 0]: number[]): number {
    if (number === this.#libc.numbers.close) return 0;
    if (number !== this.#libc.numbers.bpf) {
      this.calls++;
      return 0;
    }
    const attr = this.#view(address, length);
    if (command === BPF_CMD.BPF_OBJ_GET_INFO_BY_FD) return this.#info(attr);
    this.calls++;
    this.ranges = [{ at: address, bytes: length }];
    const { keySize } = this.#sizes;
    const failure = this.failures.shift();
    if (failure) {
      if (failure.count !== undefined) attr.setUint32(32, failure.count, LE);
      this.#libc.errno[0] = failure.errno;
      return -1;
    }
    switch (command) {
      case BPF_CMD.BPF_MAP_LOOKUP_ELEM:
      case BPF_CMD.BPF_MAP_LOOKUP_AND_DELETE_ELEM:
        this.#readKey(attr);
        return this.#write(attr, 16, this.#valueBytes, VALUE);
      case BPF_CMD.BPF_MAP_UPDATE_ELEM:
        this.#readKey(attr);
        this.#range(attr, 16, this.#valueBytes);
        return 0;
      case BPF_CMD.BPF_MAP_DELETE_ELEM:
        this.#readKey(attr);
        return 0;
      case BPF_CMD.BPF_MAP_GET_NEXT_KEY:
        if (attr.getBigUint64(8, LE) !== 0n) this.#readKey(attr);
        return this.#write(attr, 16, keySize, KEY);
      case BPF_CMD.BPF_MAP_LOOKUP_BATCH:
      case BPF_CMD.BPF_MAP_LOOKUP_AND_DELETE_BATCH: {
        const count = attr.getUint32(32, LE);
        this.#write(attr, 8, Math.max(4, keySize), 1);
        this.#write(attr, 16, count * keySize, KEY);
        return this.#write(attr, 24, count * this.#valueBytes, VALUE);
      }
      case BPF_CMD.BPF_MAP_UPDATE_BATCH:
      case BPF_CMD.BPF_MAP_DELETE_BATCH: {
        const count = attr.getUint32(32, LE);
        this.#range(attr, 16, count * keySize);
        if (command === BPF_CMD.BPF_MAP_UPDATE_BATCH) this.#range(attr, 24, count * this.#valueBytes);
        return 0;
      }
      default:
        // What makes a descriptor gets one that is none.
        return 0x7fff_ff00;
    }
  }

  #info(attr: DataView): number {
    const { fields } = structs.bpf_map_info;
    const info = this.#view(Number(attr.getBigUint64(8, LE)), attr.getUint32(4, LE));
    info.setUint32(fields.type[0], mapTypes[this.#sizes.type], LE);
    info.setUint32(fields.key_size[0], this.#sizes.keySize, LE);
    info.setUint32(fields.value_size[0], this.#sizes.valueSize, LE);
    return 0;
  }

  #readKey(attr: DataView): void {
    const { at, bytes } = this.#range(attr, 8, this.#sizes.keySize);
    this.key = new Uint8Array(this.#view(at, bytes).buffer).slice();
  }

  #write(attr: DataView, field: number, bytes: number, what: number): number {
    const { at } = this.#range(attr, field, bytes);
    if (bytes > 0) new Uint8Array(this.#view(at, bytes).buffer).fill(what);
    return 0;
  }

  #range(attr: DataView, field: number, bytes: number): Range {
    const range = { at: Number(attr.getBigUint64(field, LE)), bytes };
    this.ranges.push(range);
    return range;
  }

  #view(address: number, bytes: number): DataView {
    return bytes === 0 ? new DataView(new ArrayBuffer(0)) : new DataView(this.#libc.koffi.view(BigInt(address), bytes));
  }
}
