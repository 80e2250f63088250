import { HEADER_BYTES, positionOf, type RingMemory, recordBytes } from './layout.ts';

/** A program sees a record as a dynptr, whose size has 24 bits (DYNPTR_MAX_SIZE). */
const MAX_DYNPTR_BYTES = 0xff_ffff;

/** Puts records into a ring that a program drains. @internal */
export class RingWriter {
  readonly #consumer: BigUint64Array;
  readonly #producer: BigUint64Array;
  readonly #data: Uint8Array;
  readonly #words: Uint32Array;
  readonly #capacity: number;

  constructor({ consumer, producer, data }: RingMemory) {
    this.#consumer = positionOf(consumer);
    this.#producer = positionOf(producer);
    this.#data = data;
    this.#words = new Uint32Array(data.buffer, data.byteOffset, data.byteLength >> 2);
    this.#capacity = data.byteLength / 2;
  }

  /** Bytes that are written and not yet taken, with headers and padding. */
  available(): number {
    return Number(Atomics.load(this.#producer, 0) - Atomics.load(this.#consumer, 0));
  }

  /**
   * Writes a record of so many bytes, which `fill` puts at an offset. When it throws, there is no record.
   *
   * @returns false when there is no room
   */
  write(length: number, fill: (data: Uint8Array, at: number) => void): boolean {
    const longest = Math.min(this.#capacity - HEADER_BYTES, MAX_DYNPTR_BYTES);
    if (length > longest)
      throw new RangeError(`the record has ${length} bytes; in a ring of ${this.#capacity}, ${longest} is the most`);
    const bytes = recordBytes(length);
    const position = Atomics.load(this.#producer, 0);
    const used = Number(position - Atomics.load(this.#consumer, 0));
    if (used + bytes > this.#capacity) return false;
    const offset = Number(position & BigInt(this.#capacity - 1));
    fill(this.#data, offset + HEADER_BYTES);
    // It is done before the kernel may look at it, so it need not be marked as busy, as libbpf does between reserving and
    // submitting.
    this.#words[offset >>> 2] = length;
    this.#words[(offset >>> 2) + 1] = 0;
    Atomics.store(this.#producer, 0, position + BigInt(bytes));
    return true;
  }
}
