import { DISCARD_BIT, HEADER_BYTES, MAX_RECORD_BYTES, positionOf, type RingMemory, recordBytes } from './layout.ts';

/** Gets a record: `length` bytes of `data` from `offset` on. They are the ring's own, and only valid during the call. */
export type RecordCallback = (data: Uint8Array, offset: number, length: number) => void;

/** Takes records out of a ring that a program fills, in the order in which their room was reserved. @internal */
export class RingReader {
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #words: Int32Array;
  readonly #mask: bigint;
  #draining = false;
  #stopped = false;

  constructor({ consumer, producer, data }: RingMemory) {
    this.#consumer = positionOf(consumer);
    this.#producer = positionOf(producer);
    this.#data = data;
    this.#words = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
    this.#mask = BigInt(data.byteLength / 2 - 1);
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
    const [data, words] = [this.#data, this.#words];
    const position = Atomics.load(this.#consumer, 0);
    const start = Number(position & this.#mask);
    // Into the second mapping, perhaps: from the first record on, all lie in a row.
    const end = start + Number(Atomics.load(this.#producer, 0) - position);
    let offset = start;
    let count = 0;
    this.#draining = true;
    try {
      while (offset < end && count < max && !this.#stopped) {
        // Its bytes are there when it is no longer busy: whoever sees one must see the other, also on arm64.
        const header = Atomics.load(words, offset >>> 2);
        if (header < 0) break;
        const length = header & MAX_RECORD_BYTES;
        const at = offset + HEADER_BYTES;
        offset += recordBytes(length);
        if ((header & DISCARD_BIT) !== 0) continue;
        count++;
        fn(data, at, length);
      }
    } finally {
      this.#draining = false;
      // Gives the room back, all at once. The store is a full barrier: the kernel, which wakes readers up only when it
      // finishes the record at this position, looks at it after it has moved its own; and whoever waits next lets the
      // kernel compare both again. So no wake-up is lost.
      if (offset > start) Atomics.store(this.#consumer, 0, position + BigInt(offset - start));
    }
    return count;
  }

  /** Ends a drain after the record that it is at: the memory goes away. */
  stop(): void {
    this.#stopped = true;
  }
}
