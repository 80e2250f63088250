import type { RingMemory } from '../src/ring/layout.ts';

/** The kernel's part of a ring buffer, on memory of its own, from any position on. */
export class FakeRing {
  readonly memory: RingMemory;
  readonly #position: BigUint64Array<ArrayBuffer>;
  readonly #consumer: BigUint64Array<ArrayBuffer>;
  readonly #capacity: number;

  constructor(capacity: number, start: bigint) {
    this.#capacity = capacity;
    this.#consumer = BigUint64Array.of(start);
    this.#position = BigUint64Array.of(start);
    this.memory = {
      consumer: new Uint8Array(this.#consumer.buffer),
      producer: new Uint8Array(this.#position.buffer),
      data: new Uint8Array(2 * capacity),
    };
  }

  get consumed(): bigint {
    return this.#consumer[0] as bigint;
  }

  get produced(): bigint {
    return this.#position[0] as bigint;
  }

  /** Room for a record, which is busy until it is submitted; undefined when there is none. */
  reserve(length: number): { submit: (bytes: Uint8Array, discard?: boolean) => void } | undefined {
    const bytes = Math.ceil((length + 8) / 8) * 8;
    if (Number(this.produced - this.consumed) + bytes > this.#capacity - 1) return undefined;
    const at = Number(this.produced % BigInt(this.#capacity));
    this.#word(at, (length | 0x8000_0000) >>> 0);
    this.#position[0] = this.produced + BigInt(bytes);
    return {
      submit: (content, discard = false) => {
        for (const [i, byte] of content.entries()) this.#byte(at + 8 + i, byte);
        this.#word(at, (length | (discard ? 0x4000_0000 : 0)) >>> 0);
      },
    };
  }

  #word(at: number, value: number): void {
    for (let i = 0; i < 4; i++) this.#byte(at + i, (value >>> (i * 8)) & 0xff);
  }

  /** Both mappings of the data show it. */
  #byte(at: number, value: number): void {
    this.memory.data[at % this.#capacity] = value;
    this.memory.data[(at % this.#capacity) + this.#capacity] = value;
  }
}
