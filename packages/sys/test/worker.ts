// What Workers do with maps: run by stress.test.ts. Prints one object of JSON. Wants root.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  MapFd,
  mapCreate,
  mapDeleteElem,
  mapGetFdById,
  mapLookupBatch,
  mapLookupElem,
  mapUpdateElem,
  SysError,
} from '../src/index.ts';

const TIMES = 20_000;
const key = Uint8Array.of(1, 0, 0, 0);
const value = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const hash = { type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 } as const;

type Failure = keyof typeof failures;
type Job = { readonly make: true } | { readonly open: number } | { readonly fail: Failure } | { readonly run: true };

/** Operations that fail, each with its own errno. */
const failures = {
  ENOENT: () => fails(() => assert.equal(mapDeleteElem(full, Uint8Array.of(9, 9, 9, 9)), false)),
  E2BIG: () => fails(() => assert.throws(() => mapUpdateElem(full, Uint8Array.of(2, 0, 0, 0), value), code('E2BIG'))),
  EINVAL: () => {
    using array = mapCreate({ ...hash, type: 'array' });
    return fails(() => assert.throws(() => mapDeleteElem(array, key), code('EINVAL')));
  },
};
let full: MapFd;

const code = (name: string) => (error: unknown) => error instanceof SysError && error.code === name;

function fails(operation: () => void): void {
  for (let i = 0; i < TIMES; i++) operation();
}

function failAs(name: Failure): void {
  full = mapCreate(hash);
  mapUpdateElem(full, key, value);
  failures[name]();
  full.close();
}

const start = (job: Job): Worker => new Worker(fileURLToPath(import.meta.url), { workerData: job });
const answer = async (worker: Worker): Promise<unknown> => (await once(worker, 'message'))[0];

async function byId(): Promise<string> {
  const maker = start({ make: true });
  const id = (await answer(maker)) as number;
  assert.deepEqual(await answer(start({ open: id })), value);
  using map = mapGetFdById(id);
  maker.postMessage('end');
  await once(maker, 'exit');
  const out = new Uint8Array(8);
  assert.equal(mapLookupElem(map, key, out), true);
  assert.deepEqual(out, value);
  return 'passed';
}

async function errno(): Promise<string> {
  const answers = [answer(start({ fail: 'ENOENT' })), answer(start({ fail: 'E2BIG' }))];
  failAs('EINVAL');
  assert.deepEqual(await Promise.all(answers), ['done', 'done']);
  return 'passed';
}

async function terminated(): Promise<string> {
  for (let i = 0; i < 10; i++) {
    const workers = [start({ run: true }), start({ run: true })];
    await Promise.all(workers.map(answer));
    await new Promise((resolve) => setTimeout(resolve, i * 3));
    await Promise.all(workers.map((worker) => worker.terminate()));
    globalThis.gc?.();
    failAs('ENOENT');
  }
  return 'passed';
}

/** What a Worker had open stays open until the process ends: the kernel knows of descriptors of processes only. */
async function left(): Promise<string> {
  const open = (): string[] => readdirSync('/proc/self/fd').filter((fd) => isMap(fd));
  const before = open();
  const worker = start({ make: true });
  const id = (await answer(worker)) as number;
  await worker.terminate();
  const after = open().filter((fd) => !before.includes(fd));
  assert.equal(after.length, 1);
  // Whoever knows the number may close it.
  const map = new MapFd(Number(after[0]));
  assert.equal(map.info.id, id);
  map.close();
  return 'passed';
}

function isMap(fd: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).includes('bpf-map');
  } catch {
    return false; // the descriptor of the listing
  }
}

/** Calls of all kinds until somebody ends it. */
function run(): void {
  const map = mapCreate({ ...hash, valueSize: 4096, maxEntries: 64 });
  const [big, keys] = [new Uint8Array(4096), new Uint8Array(64 * 4)];
  parentPort?.postMessage('runs');
  for (let i = 0; ; i++) {
    key[0] = i & 63;
    mapUpdateElem(map, key, big);
    // Beyond the memory that scopes share.
    if (key[0] === 0) mapLookupBatch(map, keys, new Uint8Array(64 * 4096));
    if (key[0] === 1) mapCreate(hash).close();
  }
}

if (isMainThread) {
  const results = { byId: await byId(), errno: await errno(), terminated: await terminated(), left: await left() };
  console.log(JSON.stringify(results));
} else {
  const job = workerData as Job;
  if ('make' in job) {
    const map = mapCreate(hash);
    mapUpdateElem(map, key, value);
    parentPort?.postMessage(map.info.id);
    parentPort?.once('message', () => {
      map.close();
      parentPort?.close();
    });
  } else if ('open' in job) {
    using map = mapGetFdById(job.open);
    const out = new Uint8Array(8);
    assert.equal(mapLookupElem(map, key, out), true);
    parentPort?.postMessage(out);
  } else if ('fail' in job) {
    failAs(job.fail);
    parentPort?.postMessage('done');
  } else run();
}
