// Operations on maps under allocation pressure, each value checked against a model, in several threads at once:
// `node --expose-gc stress.mjs OPERATIONS THREADS`, bundled by stress.test.ts. Prints one line of JSON. Wants root.
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  btfGetNextId,
  type MapFd,
  type MapType,
  mapCreate,
  mapDeleteBatch,
  mapDeleteElem,
  mapGetFdById,
  mapGetInfo,
  mapGetNextKey,
  mapLookupBatch,
  mapLookupElem,
  mapUpdateBatch,
  mapUpdateElem,
  progGetInfo,
  progLoad,
} from '../src/index.ts';

interface Job {
  readonly operations: number;
  readonly seed: number;
}

/** A map, and what it must hold: the seed of each key's value. */
interface Tested {
  readonly map: MapFd;
  readonly model: Map<number, number>;
  readonly entries: number;
  readonly isArray: boolean;
}

const ENTRIES = 64;
const shapes: readonly [type: MapType, keySize: number, valueSize: number][] = [
  ['hash', 1, 1],
  ['hash', 4, 8],
  ['hash', 33, 31],
  ['hash', 64, 4096],
  ['array', 4, 3],
  ['array', 4, 1024],
  ['percpu_hash', 7, 12],
  ['percpu_hash', 64, 1000],
  ['percpu_array', 4, 5],
];
/** Loads and returns 0. */
const insns = Uint8Array.of(0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0);

function stress({ operations, seed }: Job): void {
  const random = xorshift(seed);
  const pressure = makePressure(random);
  const maps = shapes.map((shape) => open(...shape));
  for (let i = 0; i < operations; i++) {
    const tested = maps[random() % maps.length] as Tested;
    step(tested, random);
    if (i % 8 === 0) pressure();
    if (i % 50_000 === 49_999) globalThis.gc?.();
    if (i % 1000 === 999) between(tested);
    if (i % 10_000 === 9999) batches(tested);
    if (i % 40_000 === 39_999) {
      const at = random() % maps.length;
      maps[at]?.map.close();
      maps[at] = open(...(shapes[at] as (typeof shapes)[number]));
    }
  }
  for (const tested of maps) {
    batches(tested);
    walk(tested);
    tested.map.close();
  }
}

function open(type: MapType, keySize: number, valueSize: number): Tested {
  const map = mapCreate({ type, keySize, valueSize, maxEntries: ENTRIES });
  const isArray = type.endsWith('array');
  const model = new Map<number, number>();
  // Those of an array are all there, and zero.
  if (isArray) for (let n = 0; n < ENTRIES; n++) model.set(n, 0);
  return { map, model, entries: ENTRIES, isArray };
}

function step(tested: Tested, random: () => number): void {
  const { map, model, entries, isArray } = tested;
  const n = random() % entries;
  const key = keyOf(map, n);
  const known = model.get(n);
  switch (random() % 4) {
    case 0: {
      const seed = 1 + (random() % 250);
      expectEqual(mapUpdateElem(map, key, valueBytesOf(map, seed)), true, 'update');
      model.set(n, seed);
      break;
    }
    case 1:
      if (isArray) break;
      expectEqual(mapDeleteElem(map, key), known !== undefined, 'delete');
      model.delete(n);
      break;
    case 2: {
      const next = new Uint8Array(key.length);
      const more = mapGetNextKey(map, undefined, next);
      expectEqual(more, model.size > 0, 'first key');
      if (more) expectEqual(model.has(numberOf(next)), true, 'first key is one');
      break;
    }
    default: {
      const out = new Uint8Array(map.valueBytes).fill(0xee);
      const found = mapLookupElem(map, key, out);
      expectEqual(found, known !== undefined, 'lookup');
      if (known !== undefined) expectBytes(out, valueBytesOf(map, known));
      else expectBytes(out, new Uint8Array(out.length).fill(0xee));
    }
  }
}

/** Everything by one batch, and back again. */
function batches({ map, model, entries, isArray }: Tested): void {
  const { keySize } = map.info;
  const size = map.valueBytes;
  // A per-CPU array has them since Linux 5.13.
  if (map.info.type === 'percpu_array') return;
  const [keys, values] = [new Uint8Array(keySize * entries * 2), new Uint8Array(size * entries * 2)];
  const { count, cursor } = mapLookupBatch(map, keys, values);
  expectEqual(cursor, undefined, 'one batch has all');
  expectEqual(count, model.size, 'entries of a batch');
  for (let i = 0; i < count; i++) {
    const known = model.get(numberOf(keys.subarray(i * keySize, (i + 1) * keySize)));
    expectBytes(values.subarray(i * size, (i + 1) * size), valueBytesOf(map, known ?? -1));
  }
  const used = keys.subarray(0, count * keySize);
  if (!isArray) expectEqual(mapDeleteBatch(map, used), count, 'delete batch');
  mapUpdateBatch(map, used, values.subarray(0, count * size));
}

function walk({ map, model }: Tested): void {
  const seen = new Set<number>();
  const key = new Uint8Array(map.info.keySize);
  for (let more = mapGetNextKey(map, undefined, key); more; more = mapGetNextKey(map, key, key))
    seen.add(numberOf(key));
  expectEqual(seen.size, model.size, 'keys of a walk');
}

/** What else calls the kernel with memory of a scope, nested and of its own. */
function between({ map }: Tested): void {
  using prog = progLoad({ type: 'socket_filter', insns, license: 'GPL', name: 'stress' });
  expectEqual(progGetInfo(prog).name, 'stress', 'name of a program');
  using again = mapGetFdById(mapGetInfo(map).id);
  expectEqual(again.info.valueSize, map.info.valueSize, 'size by id');
  btfGetNextId(0);
}

/** All of a key's bytes depend on its number, which is the first one. */
function keyOf(map: MapFd, n: number): Uint8Array {
  const key = Buffer.alloc(map.info.keySize, n);
  if (map.info.type === 'array' || map.info.type === 'percpu_array') key.writeUInt32LE(n);
  return key;
}

const numberOf = (key: Uint8Array): number => key[0] as number;

/** The value of each CPU, and what fills it up to 8 bytes, which the kernel gives back as zero. */
function valueBytesOf(map: MapFd, seed: number): Uint8Array {
  const { valueSize } = map.info;
  const bytes = new Uint8Array(map.valueBytes);
  if (seed === 0) return bytes;
  const stride = bytes.length === valueSize ? valueSize : Math.ceil(valueSize / 8) * 8;
  for (let cpu = 0; cpu * stride < bytes.length; cpu++)
    for (let i = 0; i < valueSize; i++) bytes[cpu * stride + i] = seed + i * 7 + cpu;
  return bytes;
}

/** Garbage of many sizes, some of which lives for a while. */
function makePressure(random: () => number): () => void {
  const kept: unknown[] = Array.from({ length: 256 });
  return () => {
    const size = 1 << (random() % 15);
    kept[random() % kept.length] =
      size % 3 === 0
        ? Array.from({ length: size & 255 }, (_, i) => ({ i }))
        : random() % 2
          ? Buffer.alloc(size)
          : 'x'.repeat(size).slice(1);
  };
}

/** Descriptors of BPF objects that are still open. */
function bpfDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.includes('bpf') ? [target] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });
}

function xorshift(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 1;
  };
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} is not ${String(expected)}`);
}

function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) !== 0)
    throw new Error(`${Buffer.from(actual).toString('hex')} is not ${Buffer.from(expected).toString('hex')}`);
}

if (isMainThread) {
  const [operations = 100_000, threads = 2] = process.argv.slice(2).map(Number);
  const share = Math.ceil(operations / threads);
  const start = performance.now();
  const rssBefore = process.memoryUsage().rss;
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const job: Job = { operations: share, seed: 1000 + i };
    return new Worker(fileURLToPath(import.meta.url), { workerData: job });
  });
  const ends = workers.map((worker) => once(worker, 'message'));
  stress({ operations: share, seed: 1 });
  await Promise.all(ends);
  globalThis.gc?.();
  const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
  console.log(
    JSON.stringify({
      operations: share * threads,
      seconds: Math.round(performance.now() - start) / 1000,
      rssBefore: mib(rssBefore),
      rssAfter: mib(process.memoryUsage().rss),
      left: bpfDescriptors(),
    }),
  );
} else {
  stress(workerData as Job);
  parentPort?.postMessage('done');
}
