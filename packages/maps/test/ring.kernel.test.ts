import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { struct, u32, u64 } from '@bpf/btf/data';
import {
  type Fd,
  type MapFd,
  mapCreate,
  mapGetFdById,
  mapGetInfo,
  pageSize,
  possibleCpus,
  progTestRun,
  rawSyscall,
  SysError,
  withScope,
} from '@bpf/sys';
import { mapType, perfBpfOutput } from '../../../tooling/kernel-test/features.ts';
import { type Feature, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { PerfEventArray } from '../src/ring/perf-event-array.ts';
import { RingBuffer } from '../src/ring/ringbuf.ts';
import { UserRingBuffer } from '../src/ring/user-ringbuf.ts';
import { Counts, loadDrain, loadOutput, loadPerfOutput, loadReserve } from './ring-programs.ts';

const makeRing = (bytes = pageSize()): MapFd =>
  mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: bytes, name: 'ring_test' });
const makeUserRing = (): MapFd =>
  mapCreate({ type: 'user_ringbuf', keySize: 0, valueSize: 0, maxEntries: pageSize(), name: 'user_test' });
const ringbuf = mapType('ringbuf', () => makeRing());
const userRingbuf = mapType('user_ringbuf', makeUserRing);

const Run = struct({ run: u64, more: u64 });
const run = (prog: Fd, repeat = 1): number => progTestRun(prog, { data: new Uint8Array(14), repeat }).retval;
const numbers = (from: number, to: number): bigint[] =>
  Array.from({ length: to - from + 1 }, (_, i) => BigInt(from + i));

kernelTest(ringbuf, 'records come out as they went in, decoded and as bytes', () => {
  using ring = new RingBuffer(makeRing(), Run);
  using raw = new RingBuffer(mapGetFdById(ring.info.id));
  using counts = new Counts();
  using prog = loadOutput(ring, counts);
  assert.deepEqual([ring.capacity, ring.available()], [pageSize(), 0]);
  assert.deepEqual(ring.records(), []);
  run(prog, 3);
  assert.equal(ring.available(), 3 * 24);
  assert.deepEqual(ring.records(1), [{ run: 1n, more: 101n }]);
  assert.deepEqual(raw.records(1), [Run.encode({ run: 2n, more: 102n })]);
  assert.deepEqual(ring.records(), [{ run: 3n, more: 103n }]);
  assert.equal(ring.available(), 0);
});

kernelTest(
  ringbuf,
  'a ring goes round many times, and nothing is lost or seen twice',
  () => {
    using ring = new RingBuffer(makeRing(), Run);
    using counts = new Counts();
    using prog = loadOutput(ring, counts);
    let seen = 0n;
    for (let round = 0; round < 50; round++) {
      run(prog, 100);
      const taken = round % 2 === 0 ? ring.records() : [...ring.records(7), ...ring.records()];
      assert.deepEqual(
        taken.map((record) => record.run),
        numbers(Number(seen) + 1, Number(seen) + 100),
      );
      seen += 100n;
    }
    assert.deepEqual(counts.read(), { runs: 5000, full: 0 });
  },
  ['root', 'caps'],
);

kernelTest(ringbuf, 'a ring that is full loses what comes, which the program counts', () => {
  using ring = new RingBuffer(makeRing(), Run);
  using counts = new Counts();
  using prog = loadOutput(ring, counts);
  run(prog, ((2 * ring.capacity) / 24) | 0);
  // The kernel never fills the last byte.
  const fit = Math.floor((ring.capacity - 1) / 24);
  assert.equal(ring.available(), fit * 24);
  assert.deepEqual(
    ring.records().map((record) => record.run),
    numbers(1, fit),
  );
  const { runs, full } = counts.read();
  assert.equal(runs - full, fit);
});

kernelTest(ringbuf, 'discarded records of a ring are passed over, and a callback borrows its memory', () => {
  using ring = new RingBuffer(makeRing());
  using prog = loadReserve(ring, [1, -2, -3, 4, -5]);
  run(prog);
  const seen: number[] = [];
  const count = ring.drain((data, offset, length) => {
    assert.equal(length, 8);
    seen.push(data[offset] as number);
  });
  assert.deepEqual([count, seen, ring.available()], [2, [1, 4], 0]);
  run(prog);
  assert.equal(
    ring.drain(() => ring.close()),
    1,
  );
});

kernelTest(
  ringbuf,
  'events of a ring are awaited, until the loop is left',
  async () => {
    using ring = new RingBuffer(makeRing(), Run);
    using counts = new Counts();
    using prog = loadOutput(ring, counts);
    const seen: bigint[] = [];
    const first = setTimeout(() => run(prog, 2), 2);
    for await (const event of ring.events()) {
      seen.push(event.run);
      if (seen.length === 2) setTimeout(() => run(prog, 3), 2);
      if (seen.length === 4) break;
    }
    clearTimeout(first);
    assert.deepEqual(seen, numbers(1, 4));
    // What was not handed out is still there.
    assert.deepEqual(ring.records(), [{ run: 5n, more: 105n }]);
  },
  ['root', 'caps'],
);

kernelTest(ringbuf, 'an abort, and closing the ring, end a wait for its events', async () => {
  using ring = new RingBuffer(makeRing());
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 2);
  for await (const event of ring.events({ signal: controller.signal })) assert.fail(`${event}`);
  const events = ring.events();
  const next = events.next();
  await assert.rejects(ring.events().next(), /another iterator reads these events/);
  ring.close();
  assert.deepEqual(await next, { value: undefined, done: true });
});

kernelTest(ringbuf, 'a ring is a stream of Node and of the web, and closing it ends them', async () => {
  using ring = new RingBuffer(makeRing(), Run);
  using counts = new Counts();
  using prog = loadOutput(ring, counts);
  run(prog, 3);
  const seen: bigint[] = [];
  const readable = Readable.from(ring.events(), { highWaterMark: 1 });
  for await (const event of readable) {
    seen.push((event as { run: bigint }).run);
    if (seen.length === 2) break;
  }
  // It waits for more than it was asked for when it is destroyed, too.
  const waiting = Readable.from(ring.events());
  waiting.resume();
  await sleep(2);
  await new Promise((resolve) => waiting.once('close', resolve).destroy());
  run(prog, 2);
  const web = ReadableStream.from(ring.events());
  setTimeout(() => ring.close(), 5);
  for await (const event of web) seen.push((event as { run: bigint }).run);
  assert.equal(seen.at(-1), 5n);
});

kernelTest(ringbuf, 'what is no ring is refused, and what is closed', () => {
  const array = mapCreate({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1, name: 'no_ring' });
  assert.throws(() => new RingBuffer(array), { name: 'TypeError', message: /'no_ring' is of type array, not ringbuf/ });
  assert.equal(array.closed, true);
  const ring = new RingBuffer(makeRing(), struct({ a: u64, b: u64 }));
  using prog = loadReserve(ring, [1, 2]);
  run(prog);
  assert.throws(() => ring.records(), { name: 'RangeError', message: /a record has 8 bytes, and its schema 16/ });
  ring.close();
  ring.close();
  for (const use of [() => ring.records(), () => ring.available(), () => ring.drain(() => {}), () => ring.fd])
    assert.throws(use, { name: 'TypeError', message: /is closed/ });
});

const makeOverwriting = (): MapFd =>
  mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: pageSize(), flags: ['rb_overwrite'] });
const overwriting: Feature = {
  name: 'map/ringbuf/overwrite',
  probe() {
    try {
      makeOverwriting().close();
      return undefined;
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
      return 'this kernel has no ring buffers that overwrite';
    }
  },
};

kernelTest(overwriting, 'a ring that overwrites its oldest records is refused', () => {
  const map = makeOverwriting();
  assert.throws(() => new RingBuffer(map), { name: 'TypeError', message: /overwrites its oldest records/ });
  assert.equal(map.closed, true);
});

kernelTest(
  userRingbuf,
  'a program drains what was written into a user ring',
  () => {
    const Command = struct({ pid: u32, action: u32 });
    using user = new UserRingBuffer(makeUserRing(), Command);
    using ring = new RingBuffer(makeRing(), Command);
    using prog = loadDrain(user, ring);
    for (let round = 0; round < 60; round++) {
      const commands = Array.from({ length: 1 + (round % 20) }, (_, i) => ({ pid: round, action: i }));
      for (const command of commands) assert.equal(user.write(command), true);
      assert.equal(run(prog), commands.length);
      assert.deepEqual(ring.records(), commands);
      assert.equal(user.available(), 0);
    }
  },
  ['root', 'caps'],
);

kernelTest(userRingbuf, 'a user ring that is full takes more when a program has drained it', () => {
  using user = new UserRingBuffer(makeUserRing());
  using ring = new RingBuffer(makeRing());
  using prog = loadDrain(user, ring);
  for (let round = 0; round < 10; round++) {
    let written = 0;
    const record = new Uint8Array(100 + round).fill(round);
    while (user.write(record)) written++;
    assert.equal(written, Math.floor(user.capacity / (Math.ceil((108 + round) / 8) * 8)));
    assert.equal(run(prog), written);
    assert.deepEqual(ring.records(), Array(written).fill(record.slice(0, 8)));
  }
  assert.throws(() => user.write(new Uint8Array(user.capacity)), RangeError);
  assert.throws(() => user.write('text' as unknown as Uint8Array), TypeError);
  user.close();
  assert.throws(() => user.write(new Uint8Array(1)), /is closed/);
  assert.throws(() => new UserRingBuffer(makeRing()), /is of type ringbuf, not user_ringbuf/);
});

const makePerfMap = (): MapFd =>
  mapCreate({ type: 'perf_event_array', keySize: 4, valueSize: 4, maxEntries: possibleCpus(), name: 'perf_test' });
const Sample = struct({ run: u64 });

/** Keeps this thread on one CPU. */
function onCpu<T>(cpu: number, fn: () => T): T {
  const [set, get] = process.arch === 'x64' ? [203, 204] : [122, 123];
  return withScope((scope) => {
    const [before, here] = [scope.alloc(128), scope.alloc(128)];
    const length = Number(rawSyscall(get, 0, 128, before));
    assert.ok(length > 0);
    here.view.setUint8(cpu >> 3, 1 << (cpu & 7));
    assert.equal(rawSyscall(set, 0, 128, here), 0);
    try {
      return fn();
    } finally {
      rawSyscall(set, 0, length, before);
    }
  });
}

kernelTest(perfBpfOutput, 'samples come out of the ring of their CPU, and what is lost is counted', () => {
  using samples = new PerfEventArray(makePerfMap(), Sample, { pages: 1 });
  using counts = new Counts();
  using prog = loadPerfOutput(samples, counts);
  assert.deepEqual(samples.records(), []);
  onCpu(0, () => run(prog, 3));
  assert.deepEqual(
    samples.records(),
    [1n, 2n, 3n].map((n) => ({ cpu: 0, data: { run: n } })),
  );
  // Round and round, over the end of the ring.
  for (let round = 0; round < 20; round++) {
    onCpu(0, () => run(prog, 50));
    const from = 4 + round * 50;
    assert.deepEqual(
      samples.records().map(({ data }) => data.run),
      numbers(from, from + 49),
    );
  }
  assert.equal(samples.lost, 0);
  const many = Math.ceil(pageSize() / 10);
  onCpu(0, () => run(prog, many));
  const fit = samples.records().length;
  assert.ok(fit > 0 && fit < many);
  onCpu(0, () => run(prog));
  assert.deepEqual(samples.records(), [{ cpu: 0, data: { run: BigInt(counts.read().runs) } }]);
  assert.equal(samples.lost, many - fit);
});

kernelTest(perfBpfOutput, 'events of perf rings are awaited, from any CPU, until they are closed', async () => {
  const samples = new PerfEventArray(makePerfMap());
  using counts = new Counts();
  using prog = loadPerfOutput(samples, counts);
  const seen: number[] = [];
  setTimeout(() => run(prog), 1);
  const events = samples.events();
  for await (const { data } of events) {
    assert.equal(data.length, 12);
    seen.push(data[0] as number);
    if (seen.length < 5) setTimeout(() => run(prog), 1);
    else setTimeout(() => samples.close(), 1);
  }
  assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  assert.throws(() => samples.records(), /is closed/);
  assert.throws(
    () => new PerfEventArray(makePerfMap(), undefined, { pages: 3 }),
    /pages is 3; it must be a power of 2/,
  );
  assert.throws(() => new PerfEventArray(makeRing()), /is of type ringbuf, not perf_event_array/);
  using again = new PerfEventArray(makePerfMap());
  for await (const event of again.events({ signal: AbortSignal.timeout(5) })) assert.fail(`${event.cpu}`);
  assert.equal(mapGetInfo(again).name, 'perf_test');
});
