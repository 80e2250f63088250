// `npm run bench`: operations on a map from JavaScript and from C, in turn, and what JavaScript adds: medians of several
// rounds. Wants root and gcc.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  mapCreate,
  mapDeleteElem,
  mapGetNextKey,
  mapLookupBatch,
  mapLookupElem,
  mapUpdateBatch,
  mapUpdateElem,
  progLoad,
} from '../src/index.ts';

const ENTRIES = 10_000;
const PASSES = 10;
const ROUNDS = 9;

const keys = new Uint8Array(Uint32Array.from({ length: ENTRIES }, (_, i) => i).buffer);
const values = new Uint8Array(BigUint64Array.from({ length: ENTRIES }, (_, i) => BigInt(i * 3)).buffer);

// As C writes them: numbers into the memory that the call is given.
const keyWord = new Uint32Array(1);
const valueWords = new Uint32Array(2);
const [key, value] = [new Uint8Array(keyWord.buffer), new Uint8Array(valueWords.buffer)];

const map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: ENTRIES });
const fill = (): void => void mapUpdateBatch(map, keys, values);
fill();

function lookup(i: number): boolean {
  keyWord[0] = i;
  return mapLookupElem(map, key, value);
}

function update(i: number): boolean {
  keyWord[0] = i;
  valueWords[0] = i * 3;
  return mapUpdateElem(map, key, value);
}

function remove(i: number): boolean {
  keyWord[0] = i;
  return mapDeleteElem(map, key);
}

function each(job: (i: number) => boolean, before: () => void = () => {}): number {
  let time = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    before();
    const start = performance.now();
    for (let i = 0; i < ENTRIES; i++) if (!job(i)) throw new Error('an operation failed');
    time += performance.now() - start;
  }
  return (time * 1e6) / ENTRIES / PASSES;
}

function walk(): number {
  const key = new Uint8Array(4);
  let seen = 0;
  const start = performance.now();
  for (let pass = 0; pass < PASSES; pass++)
    for (let more = mapGetNextKey(map, undefined, key); more; more = mapGetNextKey(map, key, key)) seen++;
  return ((performance.now() - start) * 1e6) / seen;
}

function lookupBatch(): number {
  const outKeys = new Uint8Array(ENTRIES * 2);
  const outValues = new Uint8Array(ENTRIES * 4);
  let seen = 0;
  const start = performance.now();
  for (let pass = 0; pass < PASSES * 10; pass++) {
    let cursor: Uint8Array | undefined;
    do {
      const batch = mapLookupBatch(map, outKeys, outValues, cursor);
      seen += batch.count;
      cursor = batch.cursor;
    } while (cursor);
  }
  return ((performance.now() - start) * 1e6) / seen;
}

function updateBatch(): number {
  const start = performance.now();
  for (let pass = 0; pass < PASSES * 10; pass++) mapUpdateBatch(map, keys, values);
  return ((performance.now() - start) * 1e6) / ENTRIES / PASSES / 10;
}

function load(slots: number): number {
  const insns = new Uint8Array(slots * 8);
  for (let i = 0; i < slots; i++) insns[i * 8] = i < slots - 1 ? 0xb7 : 0x95;
  const times = slots > 100 ? 100 : 2000;
  const start = performance.now();
  for (let i = 0; i < times; i++) progLoad({ type: 'socket_filter', insns, license: 'GPL' }).close();
  return ((performance.now() - start) * 1e6) / times;
}

const jobs: Record<string, () => number> = {
  lookup: () => each(lookup),
  update: () => each(update),
  delete: () => each(remove, fill),
  'next key': () => {
    fill();
    return walk();
  },
  'batch lookup': lookupBatch,
  'batch update': updateBatch,
  'load 2': () => load(2),
  'load 4000': () => load(4000),
};

const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
try {
  const program = join(folder, 'elem');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, '../../packages/sys/bench/elem.c')]);
  const inC = (job: string): number => Number(execFileSync(program, [job], { encoding: 'utf8' }));
  console.log(`${''.padEnd(14)}${'C'.padStart(10)}${'here'.padStart(10)}${'added'.padStart(9)}${'ratio'.padStart(8)}`);
  for (const [name, job] of Object.entries(jobs)) {
    job();
    const [c, js]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      c.push(inC(name));
      js.push(job());
    }
    const [a, b] = [median(c), median(js)];
    const numbers = [a.toFixed(0).padStart(10), b.toFixed(0).padStart(10), (b - a).toFixed(0).padStart(9)];
    console.log(`${name.padEnd(14)}${numbers.join('')}${(b / a).toFixed(2).padStart(8)}`);
  }
  console.log('\nnanoseconds for one operation, for one entry of a batch, and for loading and closing one program');
} finally {
  rmSync(folder, { recursive: true });
  map.close();
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
