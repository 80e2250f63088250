import { type Program as Instructions, ldMapValue, type Register, stx } from '@bpf/insn';
import { type MapFd, mapCreate, mapLookupElem } from '@bpf/sys';

/** What a program saw: numbers of 64 bits, under `maps: { seen }`. */
export class Seen implements Disposable {
  readonly #map: MapFd = mapCreate({ type: 'array', keySize: 4, valueSize: 256, maxEntries: 1, name: 'seen' });

  get fd(): number {
    return this.#map.fd;
  }

  /** The first so many, signed. */
  numbers(count: number): bigint[] {
    return [...new BigInt64Array(this.bytes(0, 8 * count).buffer)];
  }

  bytes(from: number, length: number): Uint8Array {
    const value = new Uint8Array(256);
    mapLookupElem(this.#map, new Uint8Array(4), value);
    return value.slice(from, from + length);
  }

  /** The text in the numbers from there on. */
  text(index: number, length: number): string {
    const [text = ''] = Buffer.from(this.bytes(8 * index, length))
      .toString()
      .split('\0');
    return text;
  }

  [Symbol.dispose](): void {
    this.#map.close();
  }
}

/** Stores registers as the numbers from there on. Clobbers r1, which may not be among them. */
export function see(index: number, ...registers: Exclude<Register, 'r1'>[]): Instructions {
  return [ldMapValue('r1', 'seen', 0), registers.map((reg, i) => stx('dw', 'r1', reg, 8 * (index + i)))];
}
