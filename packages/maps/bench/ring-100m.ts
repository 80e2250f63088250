// `npm run bench:ring-100m -- [records]`: a hundred million records of two producers, each in a thread of its own, through a
// ring of 1 MiB, to a reader that pauses at random: each must come once, whole, and in the order of its producer.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker, workerData } from 'node:worker_threads';
import {
  add,
  assemble,
  call,
  exit,
  jeq,
  jge,
  label,
  lddw,
  ldMapFd,
  ldMapValue,
  ldx,
  mov,
  type Program,
  st,
  stx,
  xor,
} from '@bpf/insn';
import { type MapFd, mapCreate, mapGetFdById, mapLookupElem, pollFd, progLoad, progTestRun } from '@bpf/sys';
import { RingBuffer } from '../src/ring/ringbuf.ts';

const TOTAL = Number(process.argv[2] ?? 100_000_000);
const PRODUCERS = 2;
const EACH = Math.ceil(TOTAL / PRODUCERS);
const CAPACITY = 1 << 20;
const WORDS = 16;
const RECORDS_IN_A_RUN = 64;
const RUNS = 100;

/** What a record's words are, after its number and its producer. */
const pattern = (word: number): number => (word * 0x0101_0101) | 0;

/** A record for each number in the map, until the ring is full: a number is used up when its room is reserved. */
function program(ring: MapFd, state: MapFd, producer: number): Program {
  const one: Program = [
    jge('r7', 'r8', 'end'),
    ldMapFd('r1', ring.fd),
    mov('r2', WORDS * 4),
    mov('r3', 0),
    call(131), // bpf_ringbuf_reserve
    jeq('r0', 0, 'full'),
    stx('w', 'r0', 'r7', 0),
    st('w', 'r0', 4, producer),
    Array.from(
      { length: WORDS - 2 },
      (_, i): Program => [mov('r1', 'r7'), xor('r1', pattern(i + 2)), stx('w', 'r0', 'r1', (i + 2) * 4)],
    ),
    add('r7', 1),
    mov('r1', 'r0'),
    mov('r2', 0),
    call(132), // bpf_ringbuf_submit
  ];
  return [
    ldMapValue('r6', state.fd, 0),
    ldx('dw', 'r7', 'r6', 0),
    lddw('r8', EACH),
    Array.from({ length: RECORDS_IN_A_RUN }, () => one),
    label('end'),
    stx('dw', 'r6', 'r7', 0),
    mov('r0', 0),
    exit(),
    label('full'),
    ldx('dw', 'r1', 'r6', 8),
    add('r1', 1),
    stx('dw', 'r6', 'r1', 8),
    stx('dw', 'r6', 'r7', 0),
    mov('r0', 0),
    exit(),
  ];
}

/** How many records a producer has submitted, and how often there was no room. */
function readState(state: MapFd): [done: number, full: number] {
  const value = new Uint8Array(16);
  mapLookupElem(state, new Uint8Array(4), value);
  const view = new DataView(value.buffer);
  return [Number(view.getBigUint64(0, true)), Number(view.getBigUint64(8, true))];
}

function produce({ ringId, stateId, producer }: { ringId: number; stateId: number; producer: number }): void {
  using ring = mapGetFdById(ringId);
  using state = mapGetFdById(stateId);
  using prog = progLoad({ type: 'socket_filter', insns: assemble(program(ring, state, producer)), license: 'GPL' });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let lastFull = 0; ; ) {
    progTestRun(prog, { data: new Uint8Array(14), repeat: RUNS });
    const [done, full] = readState(state);
    if (done >= EACH) return;
    if (full > lastFull) Atomics.wait(pause, 0, 0, Math.random() * 2);
    lastFull = full;
  }
}

async function consume(): Promise<void> {
  using ring = new RingBuffer(mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: CAPACITY }));
  const states = Array.from({ length: PRODUCERS }, () =>
    mapCreate({ type: 'array', keySize: 4, valueSize: 16, maxEntries: 1 }),
  );
  const start = performance.now();
  const workers = states.map(
    ({ info }, producer) =>
      new Worker(import.meta.filename, {
        argv: process.argv.slice(2),
        workerData: { ringId: ring.info.id, stateId: info.id, producer },
      }),
  );
  for (const worker of workers)
    worker.once('error', (error) => {
      throw error;
    });
  const next = new Uint32Array(PRODUCERS);
  const faults = { torn: 0, outOfOrder: 0 };
  let words = new Uint32Array(0);
  const check = (data: Uint8Array, offset: number, length: number): void => {
    if (words.buffer !== data.buffer) words = new Uint32Array(data.buffer as ArrayBuffer, data.byteOffset);
    const at = offset >>> 2;
    const sequence = words[at] as number;
    const producer = words[at + 1] as number;
    let whole = length === WORDS * 4 && producer < PRODUCERS;
    for (let word = 2; word < WORDS; word++) whole &&= words[at + word] === (sequence ^ (word * 0x0101_0101)) >>> 0;
    if (!whole) faults.torn++;
    else if (sequence !== next[producer]) faults.outOfOrder++;
    next[producer] = sequence + 1;
  };
  const counts = { records: 0, drains: 0, busy: 0, pauses: 0, waits: 0 };
  while (counts.records < EACH * PRODUCERS) {
    const taken = ring.drain(check);
    counts.records += taken;
    counts.drains++;
    if (taken === 0 && ring.available() > 0) counts.busy++;
    if (Math.random() < 0.001) {
      counts.pauses++;
      await sleep(Math.random() * 20);
    } else if (taken === 0) {
      counts.waits++;
      await pollFd(ring);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  const full = states.map((state) => readState(state)[1]);
  console.log({ seconds, recordsInASecond: Math.round(counts.records / seconds), ...counts, ...faults, next, full });
  console.log(
    `left in the ring: ${ring.available()} bytes; ${(counts.records * 72) / 2 ** 32} times 2^32 bytes went through`,
  );
  for (const state of states) state.close();
  const good = faults.torn + faults.outOfOrder === 0 && next.every((n) => n === EACH) && ring.available() === 0;
  if (!good) process.exitCode = 1;
}

if (workerData) produce(workerData);
else await consume();
