import { DISCARD_BIT, HEADER_BYTES, MAX_RECORD_BYTES, positionOf, type RingMemory, recordBytes } from './layout.ts';

/** Gets a record: `length` bytes of `data` from `offset` on. They are the ring's own, and only valid during the call. */
export type RecordCallback = (data: Uint8Array, offset: number, length: number) => void;

/** Takes records out of a ring that a program fills, in the order in which their room was reserved. @internal */
export class RingReader {
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #words: Int32Array;
  readonly #mask: number;
  #draining = false;
  #stopped = false;

  constructor({ consumer, producer, data }: RingMemory) {
    this.#consumer = positionOf(consumer);
    this.#producer = positionOf(producer);
    this.#data = data;
    this.#words = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
    this.#mask = data.byteLength / 2 - 1;
  }

  /** Bytes that are reserved and not yet taken, with headers and padding. */
  available(): number {
    return Number(Atomics.load(this.#producer, 0) - Atomics.load(this.#consumer, 0));
  }

  /**
   * Takes the records that are there now, at most `max`: not those that come meanwhile, lest a callback that causes records
   * goes on for ever. Ends at a record that is still being written.
   *
   * @returns how many there were
   */
  drain(fn: RecordCallback, max: number): number {
    if (this.#draining)
      throw new TypeError('this ring buffer is being drained: a callback cannot take records from it');
    const start = Atomics.load(this.#consumer, 0);
    const available = Number(Atomics.load(this.#producer, 0) - start);
    const [data, words, mask] = [this.#data, this.#words, this.#mask];
    let offset = Number(start & BigInt(mask));
    let left = available;
    let count = 0;
    this.#draining = true;
    try {
      while (left > 0 && count < max && !this.#stopped) {
        // Its bytes are there when it is no longer busy: whoever sees one must see the other, also on arm64.
        const header = Atomics.load(words, offset >>> 2);
        if (header < 0) break;
        const length = header & MAX_RECORD_BYTES;
        const at = offset + HEADER_BYTES;
        const bytes = recordBytes(length);
        left -= bytes;
        offset = (offset + bytes) & mask;
        if ((header & DISCARD_BIT) !== 0) continue;
        count++;
        fn(data, at, length);
      }
    } finally {
      this.#draining = false;
      // Gives the room back, all at once. The store is a full barrier: the kernel, which wakes readers up only when it
      // finishes the record at this position, looks at it after it has moved its own; and whoever waits next lets the
      // kernel compare both again. So no wake-up is lost.
      if (left < available) Atomics.store(this.#consumer, 0, start + BigInt(available - left));
    }
    return count;
  }

  /** Ends a drain after the record that it is at: the memory goes away. */
  stop(): void {
    this.#stopped = true;
  }
}
