// `npm run bench:ring`: taking records of 64 bytes out of a ring buffer, in C and from JavaScript, in turn: medians of
// several rounds. The same program fills the same ring for both. Wants root and gcc.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { char, struct, u32, u64 } from '@bpf/btf/data';
import { mapCreate, mapGetFdById, progTestRun } from '@bpf/sys';
import { RingBuffer } from '../src/ring/ringbuf.ts';
import { loadFiller } from './ring-program.ts';

const CAPACITY = 1 << 22;
const BYTES = 64;
const RECORDS_IN_A_RUN = 16;
/** The ring is nearly full then. */
const RUNS = Math.floor(CAPACITY / (BYTES + 8) / RECORDS_IN_A_RUN);
const PASSES = 10;
const ROUNDS = 11;

const Numbers = struct(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`word${i}`, u32])));
const Task = struct({
  time: u64,
  cgroup: u64,
  pid: u32,
  tgid: u32,
  uid: u32,
  gid: u32,
  start: u64,
  end: u64,
  comm: char(16),
});

const map = mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: CAPACITY, name: 'bench' });
const filler = loadFiller(map, RECORDS_IN_A_RUN, BYTES);
const packet = { data: new Uint8Array(14), repeat: RUNS };

/** Results go here, so that no engine may leave the work out. */
export let kept: unknown;

// Readers of one map, which take turns.
const raw = new RingBuffer(mapGetFdById(map.info.id));
const numbers = new RingBuffer(mapGetFdById(map.info.id), Numbers);
const tasks = new RingBuffer(mapGetFdById(map.info.id), Task);

function borrowed(): number {
  let sum = 0;
  const count = raw.drain((data, offset) => {
    sum += data[offset] as number;
  });
  kept = sum;
  return count;
}

/** As a program would take them that does something else with each, before more come. */
function ofBatch<T>(ring: RingBuffer<T>): () => number {
  return () => {
    let count = 0;
    for (let batch = ring.records(1000); batch.length > 0; batch = ring.records(1000)) {
      kept = batch;
      count += batch.length;
    }
    return count;
  };
}

async function awaited(): Promise<number> {
  let count = 0;
  for await (const record of numbers.events()) {
    kept = record;
    if (++count === RUNS * RECORDS_IN_A_RUN) break;
  }
  return count;
}

/** The goals are times C's. */
const jobs: { name: string; goal?: number; job: () => number | Promise<number> }[] = [
  { name: 'drain, borrowed', goal: 4, job: borrowed },
  { name: 'records, copied', job: ofBatch(raw) },
  { name: 'records, 16 u32', goal: 12, job: ofBatch(numbers) },
  { name: 'records, u64 and text', job: ofBatch(tasks) },
  { name: 'events, 16 u32', job: awaited },
];

async function measure(job: () => number | Promise<number>): Promise<number> {
  let [time, records] = [0, 0];
  for (let pass = 0; pass < PASSES; pass++) {
    progTestRun(filler, packet);
    const start = performance.now();
    const count = await job();
    time += performance.now() - start;
    records += count;
    if (count !== RUNS * RECORDS_IN_A_RUN) throw new Error(`${count} records`);
  }
  return (time * 1e6) / records;
}

const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
try {
  const program = join(folder, 'ring');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, '../../packages/maps/bench/ring.c')]);
  const inC = (): number =>
    Number(
      execFileSync(program, [`${CAPACITY}`, `${RUNS}`, `${PASSES}`], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit', map.fd, filler.fd],
      }),
    );
  console.log(
    `${''.padEnd(24)}${'C'.padStart(7)}${'here'.padStart(9)}${'added'.padStart(9)}${'ratio'.padStart(8)}    goal`,
  );
  for (const { name, goal, job } of jobs) {
    await measure(job);
    const [c, js]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      c.push(inC());
      js.push(await measure(job));
    }
    const [a, b] = [median(c), median(js)];
    const columns = [a.toFixed(1).padStart(7), b.toFixed(1).padStart(9), (b - a).toFixed(1).padStart(9)];
    console.log(`${name.padEnd(24)}${columns.join('')}${(b / a).toFixed(1).padStart(8)}${goal ? `    ${goal}` : ''}`);
  }
  console.log(`\nnanoseconds for a record of ${BYTES} bytes`);
} finally {
  rmSync(folder, { recursive: true });
  for (const owner of [raw, numbers, tasks, filler, map]) owner.close();
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
