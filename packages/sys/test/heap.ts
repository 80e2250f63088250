// Bytes of the heap that one operation on an element allocates after warm-up: `node --expose-gc heap.mjs`, bundled by
// stress.test.ts. Prints one object of JSON. Wants root.
import { type MapFd, mapCreate, mapDeleteElem, mapGetNextKey, mapLookupElem, mapUpdateElem } from '../src/index.ts';

const gc = globalThis.gc as () => void;
const CALLS = 100_000;
/** Until the optimizing compiler has seen all of it: code that is not optimized yet boxes numbers. */
const ROUNDS = 20;

const bytes: Record<string, number> = {};
for (const [keySize, valueSize] of [
  [4, 8],
  [64, 8],
  [4, 64],
  [64, 1000],
] as const) {
  // Several, because what there is only one of is a constant to the compiler.
  const maps = Array.from({ length: 4 }, () => mapCreate({ type: 'hash', keySize, valueSize, maxEntries: 4 }));
  const [key, value] = [new Uint8Array(keySize), new Uint8Array(valueSize)];
  const [absent, next] = [new Uint8Array(keySize).fill(1), new Uint8Array(keySize)];
  for (const map of maps) mapUpdateElem(map, key, value);
  const jobs: Record<string, (map: MapFd) => boolean> = {
    lookup: (map) => mapLookupElem(map, key, value),
    update: (map) => mapUpdateElem(map, key, value),
    delete: (map) => mapDeleteElem(map, absent),
    'first key': (map) => mapGetNextKey(map, undefined, next),
    'next key': (map) => mapGetNextKey(map, key, next),
  };
  for (const [name, job] of Object.entries(jobs)) bytes[`${name} ${keySize}/${valueSize}`] = perCall(maps, job);
  for (const map of maps) map.close();
}
console.log(JSON.stringify(bytes));

/** The least of many rounds, which ends when one is free of it. */
function perCall(maps: readonly MapFd[], job: (map: MapFd) => boolean): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && least >= 1; round++) {
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < CALLS; i++) job(maps[i & 3] as MapFd);
    least = Math.min(least, Math.max(0, process.memoryUsage().heapUsed - before) / CALLS);
  }
  return Math.round(least * 1000) / 1000;
}
