import { mapDeleteElem, mapLookupElem } from '@bpf/sys';
import { BpfMap } from './bpf-map.ts';
import { type Codec, handleCodec, put } from './codec.ts';
import { keysOneByOne } from './walk.ts';

const ids: Codec<unknown, number> = handleCodec(4);

/** Stack traces that bpf_get_stackid() took, by the id that it returned. */
export class StackTraceMap extends BpfMap {
  readonly #trace: Uint8Array = new Uint8Array(this.info.valueSize);

  /** The addresses, innermost first; undefined when there is no such trace. */
  get(id: number): BigUint64Array | undefined {
    if (!mapLookupElem(this.map, put(ids, this.map, 'key', id), this.#trace)) return undefined;
    const addresses = new BigUint64Array(this.#trace.slice().buffer);
    const end = addresses.indexOf(0n);
    return end < 0 ? addresses : addresses.subarray(0, end);
  }

  /** Makes room. @returns false when there was none */
  delete(id: number): boolean {
    return mapDeleteElem(this.map, put(ids, this.map, 'key', id));
  }

  *keys(): IterableIterator<number> {
    for (const key of keysOneByOne(this.map, this.info.maxEntries)) yield new DataView(key.buffer).getUint32(0, true);
  }
}
