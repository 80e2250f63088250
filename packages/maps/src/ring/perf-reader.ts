import type { RecordCallback } from './reader.ts';

/** Offsets in struct perf_event_mmap_page. */
const DATA_HEAD = 1024;
const DATA_TAIL = 1032;

/** struct perf_event_header: u32 type, u16 misc, u16 size. */
const SIZE_AT = 6;
const PERF_RECORD_LOST = 2;
const PERF_RECORD_SAMPLE = 9;
/** Of a sample that is raw only: u32 size, and as many bytes, which end at a multiple of 8. */
const RAW_SIZE_AT = 8;
const RAW_AT = 12;
/** Of a lost record: u64 id, u64 count. */
const LOST_AT = 16;

const MAX_RECORD_BYTES = 65_535;

/** Takes samples out of the ring of one perf event. @internal */
export class PerfReader {
  readonly #head: BigUint64Array;
  readonly #tail: BigUint64Array;
  readonly #data: Uint8Array;
  /** For a record that goes over the end. */
  readonly #whole: Uint8Array = new Uint8Array(MAX_RECORD_BYTES);
  #lost = 0;

  /** @param bytes of the data, a power of 2; the kernel's page is before it */
  constructor(mapped: Uint8Array, bytes: number) {
    this.#head = new BigUint64Array(mapped.buffer, mapped.byteOffset + DATA_HEAD, 1);
    this.#tail = new BigUint64Array(mapped.buffer, mapped.byteOffset + DATA_TAIL, 1);
    this.#data = mapped.subarray(mapped.byteLength - bytes);
  }

  /** Samples that the kernel had no room for, as far as it has said by now. */
  get lost(): number {
    return this.#lost;
  }

  /** Takes the samples that are there now, at most `max`. @returns how many there were */
  drain(fn: RecordCallback, max: number): number {
    const mask = BigInt(this.#data.length - 1);
    let tail = Atomics.load(this.#tail, 0);
    const head = Atomics.load(this.#head, 0);
    let count = 0;
    try {
      while (tail < head && count < max) {
        const [data, offset] = this.#record(Number(tail & mask));
        const view = new DataView(data.buffer, data.byteOffset + offset);
        tail += BigInt(view.getUint16(SIZE_AT, true));
        const type = view.getUint32(0, true);
        if (type === PERF_RECORD_LOST) this.#lost += Number(view.getBigUint64(LOST_AT, true));
        if (type !== PERF_RECORD_SAMPLE) continue;
        count++;
        fn(data, offset + RAW_AT, view.getUint32(RAW_SIZE_AT, true));
      }
    } finally {
      Atomics.store(this.#tail, 0, tail);
    }
    return count;
  }

  /** A record where it lies, or whole, when it goes on at the start. Its header is never cut. */
  #record(offset: number): [data: Uint8Array, offset: number] {
    const data = this.#data;
    const end = offset + new DataView(data.buffer, data.byteOffset + offset).getUint16(SIZE_AT, true);
    if (end <= data.length) return [data, offset];
    this.#whole.set(data.subarray(offset));
    this.#whole.set(data.subarray(0, end - data.length), data.length - offset);
    return [this.#whole, 0];
  }
}
