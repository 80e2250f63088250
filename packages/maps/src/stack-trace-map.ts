import { mapDeleteElem, mapLookupElem } from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { Handle } from './fd-map.ts';
import { keysOneByOne } from './walk.ts';

/** Stack traces that bpf_get_stackid() took, by the id that it returned. */
export class StackTraceMap extends BpfMap {
  readonly #id: Handle = new Handle(4);
  readonly #trace: Uint8Array = new Uint8Array(this.info.valueSize);

  /** The addresses, innermost first; undefined when there is no such trace. */
  get(id: number): BigUint64Array | undefined {
    if (!mapLookupElem(this.map, this.#id.put(id), this.#trace)) return undefined;
    const addresses = new BigUint64Array(this.#trace.slice().buffer);
    const end = addresses.indexOf(0n);
    return end < 0 ? addresses : addresses.subarray(0, end);
  }

  /** Makes room. @returns false when there was none */
  delete(id: number): boolean {
    return mapDeleteElem(this.map, this.#id.put(id));
  }

  *keys(): IterableIterator<number> {
    for (const key of keysOneByOne(this.map, this.info.maxEntries)) yield new DataView(key.buffer).getUint32(0, true);
  }
}
