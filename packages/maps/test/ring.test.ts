import { setTimeout as sleep } from 'node:timers/promises';
import { type AnySchema, array, bool, char, s8, struct, u8, u16, u32, u64, union } from '@bpf/btf/data';
import { eventFd, type Fd, fileRead, fileWrite, waitReadable } from '@bpf/sys';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileReader } from '../src/compile-reader.ts';
import { anyReadable } from '../src/ring/any-readable.ts';
import { decoderOf } from '../src/ring/decode.ts';
import { eventsOf } from '../src/ring/events.ts';
import { PerfReader } from '../src/ring/perf-reader.ts';
import { RingReader } from '../src/ring/reader.ts';
import { RingWriter } from '../src/ring/writer.ts';
import { FakeRing } from './ring-fake.ts';

const CAPACITY = 4096;
const ALL = Number.POSITIVE_INFINITY;

/** Copies of the records that are there. */
function take(reader: RingReader, max = ALL): Uint8Array[] {
  const records: Uint8Array[] = [];
  const count = reader.drain((data, offset, length) => void records.push(data.slice(offset, offset + length)), max);
  expect(count).toBe(records.length);
  return records;
}

/** Positions count all bytes since the ring was made: where 32-bit arithmetic, and doubles, would go wrong. */
const starts = [0n, 2n ** 31n - 64n, 2n ** 32n - 64n, 2n ** 53n - 64n, 2n ** 53n + 8n, 2n ** 63n - 64n];

describe('RingReader', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('reserve' as const), length: fc.integer({ min: 0, max: 600 }) }),
    fc.record({ do: fc.constant('submit' as const), which: fc.nat(), discard: fc.boolean() }),
    fc.record({ do: fc.constant('drain' as const), max: fc.oneof(fc.constant(ALL), fc.nat(5)) }),
  );

  test.each(starts)('hands out what was submitted, once and in order, from position %s on', (start) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = new FakeRing(CAPACITY, start);
        const reader = new RingReader(ring.memory);
        interface Model {
          readonly content: Uint8Array;
          readonly submit: (content: Uint8Array, discard?: boolean) => void;
          state: 'busy' | 'submitted' | 'discarded';
        }
        let pending: Model[] = [];
        let made = 0;
        for (const action of steps) {
          if (action.do === 'reserve') {
            const reserved = ring.reserve(action.length);
            made++;
            const content = Uint8Array.from({ length: action.length }, (_, i) => made + i);
            if (reserved) pending.push({ content, submit: reserved.submit, state: 'busy' });
          } else if (action.do === 'submit') {
            const busy = pending.filter(({ state }) => state === 'busy');
            const record = busy[action.which % busy.length];
            record?.submit(record.content, action.discard);
            if (record) record.state = action.discard ? 'discarded' : 'submitted';
          } else {
            const expected: Uint8Array[] = [];
            let seen = 0;
            for (const { state, content } of pending) {
              if (state === 'busy' || expected.length >= action.max) break;
              seen++;
              if (state === 'submitted') expected.push(content);
            }
            pending = pending.slice(seen);
            expect(take(reader, action.max)).toEqual(expected);
            const bytes = pending.reduce((sum, { content }) => sum + Math.ceil((content.length + 8) / 8) * 8, 0);
            expect(reader.available()).toBe(bytes);
            expect(ring.produced - ring.consumed).toBe(BigInt(bytes));
          }
        }
      }),
    );
  });

  test('a record whose callback throws is taken, and those after it stay', () => {
    const ring = new FakeRing(CAPACITY, 0n);
    for (let n = 1; n <= 3; n++) ring.reserve(1)?.submit(Uint8Array.of(n));
    const reader = new RingReader(ring.memory);
    const throwAt2 = (data: Uint8Array, offset: number): void => {
      if (data[offset] === 2) throw new Error('two');
    };
    expect(() => reader.drain(throwAt2, ALL)).toThrow('two');
    expect(take(reader)).toEqual([Uint8Array.of(3)]);
  });

  test('takes nothing that comes meanwhile, and nothing while it does', () => {
    const ring = new FakeRing(CAPACITY, 0n);
    ring.reserve(1)?.submit(Uint8Array.of(1));
    const reader = new RingReader(ring.memory);
    const count = reader.drain(() => {
      ring.reserve(1)?.submit(Uint8Array.of(2));
      expect(() => take(reader)).toThrow(/is being drained/);
    }, ALL);
    expect(count).toBe(1);
    expect(take(reader)).toEqual([Uint8Array.of(2)]);
  });

  test('stops where a callback stops it', () => {
    const ring = new FakeRing(CAPACITY, 0n);
    for (let n = 1; n <= 3; n++) ring.reserve(1)?.submit(Uint8Array.of(n));
    const reader = new RingReader(ring.memory);
    expect(reader.drain(() => reader.stop(), ALL)).toBe(1);
  });
});

describe('RingWriter', () => {
  test.each(starts)('writes what a reader reads, from position %s on', (start) => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 50 }), (records) => {
        // One copy of the data is written to, and the kernel's mapping makes it two: records here do not go over the end.
        const { memory } = new FakeRing(2 ** 16, start - (start % 2n ** 16n));
        const writer = new RingWriter(memory);
        for (const record of records)
          expect(writer.write(record.length, (data, at) => data.set(record, at))).toBe(true);
        expect(writer.available()).toBe(records.reduce((sum, { length }) => sum + Math.ceil((length + 8) / 8) * 8, 0));
        expect(take(new RingReader(memory))).toEqual(records);
        expect(writer.available()).toBe(0);
      }),
    );
  });

  test('refuses what does not fit, for now or ever', () => {
    const { memory } = new FakeRing(CAPACITY, 0n);
    const writer = new RingWriter(memory);
    expect(() => writer.write(CAPACITY - 7, () => {})).toThrow(/the record has 4089 bytes; in a ring of 4096, 4088 /);
    expect(writer.write(CAPACITY - 8, () => {})).toBe(true);
    expect(writer.write(0, () => {})).toBe(false);
    expect(take(new RingReader(memory))).toHaveLength(1);
    expect(() =>
      writer.write(4, () => {
        throw new Error('no value');
      }),
    ).toThrow('no value');
    expect(writer.available()).toBe(0);
  });
});

describe('decoding', () => {
  test('a compiled reader reads what its schema reads', () => {
    const inner = struct({ a: u8, text: char(7) });
    // As BTF may have it.
    const named = (name: string): AnySchema => ({
      ...struct({ a: u8 }),
      shape: { kind: 'struct', fields: [{ name, offset: 2, schema: u8 }] },
      read: (view, at) => Object.defineProperty({}, name, { value: view.getUint8(at + 2), enumerable: true }),
    });
    const schemas: AnySchema[] = [
      struct({ id: u64, small: s8, flag: bool, list: array(inner, 2), inner, both: union({ x: u32, y: u16 }) }),
      named('it\'s "this\n\u2028'),
      named('__proto__'),
      u32,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...schemas), fc.uint8Array({ minLength: 64, maxLength: 64 }), (schema, bytes) => {
        const view = new DataView(bytes.buffer);
        expect(compileReader(schema)(view, 3)).toEqual(schema.read(view, 3));
      }),
    );
  });

  test('a record is at least as long as its schema, and bytes are copied', () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    expect(decoderOf(u16)(data, 2, 3)).toBe(0x0403);
    expect(() => decoderOf(u32)(data, 0, 3)).toThrow(/a record has 3 bytes, and its schema 4/);
    const copy = decoderOf<Uint8Array>(undefined)(data, 6, 2);
    data.fill(0);
    expect(copy).toEqual(Uint8Array.of(7, 8));
  });
});

describe('eventsOf', () => {
  /** A source that waits until `push` or `close`. */
  function makeSource() {
    const queue: number[] = [];
    let end: ((more: boolean) => void) | undefined;
    const source = { closed: false, records: (max: number) => queue.splice(0, max) };
    const wait = (signal: AbortSignal): Promise<boolean> =>
      new Promise((resolve, reject) => {
        end = resolve;
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    return {
      queue,
      source,
      wait,
      push(...numbers: number[]) {
        queue.push(...numbers);
        end?.(true);
      },
      close() {
        source.closed = true;
        end?.(false);
      },
    };
  }

  test('hands out one by one, and leaves the rest', async () => {
    const { source, wait, push, queue } = makeSource();
    push(1, 2, 3);
    const seen: number[] = [];
    for await (const event of eventsOf(source, wait, {})) {
      seen.push(event);
      if (event === 2) break;
    }
    expect(seen).toEqual([1, 2]);
    expect(queue).toEqual([3]);
    const events = eventsOf(source, wait, {});
    expect(await events.next()).toEqual({ value: 3, done: false });
    const next = events.next();
    push(4);
    expect(await next).toEqual({ value: 4, done: false });
    await events.return?.();
  });

  test('an abort, a close and a return end a wait', async () => {
    for (const how of ['abort', 'close', 'return'] as const) {
      const { source, wait, close } = makeSource();
      const controller = new AbortController();
      const events = eventsOf(source, wait, { signal: controller.signal });
      const next = events.next();
      await sleep(1);
      if (how === 'abort') controller.abort(new Error('enough'));
      else if (how === 'close') close();
      else expect(await events.return?.()).toEqual({ value: undefined, done: true });
      expect(await next).toEqual({ value: undefined, done: true });
    }
    const { source, wait } = makeSource();
    expect(await eventsOf(source, wait, { signal: AbortSignal.abort() }).next()).toMatchObject({ done: true });
  });

  test('an error of the wait is an error of the iteration', async () => {
    const { source } = makeSource();
    const events = eventsOf(source, () => Promise.reject(new Error('EBADF')), {});
    await expect(events.next()).rejects.toThrow('EBADF');
  });

  test('refuses a second iterator until the first has ended', async () => {
    const { source, wait, push } = makeSource();
    push(1, 2);
    const first = eventsOf(source, wait, {});
    await first.next();
    await expect(eventsOf(source, wait, {}).next()).rejects.toThrow(/another iterator reads these events/);
    await first.return?.();
    expect(await eventsOf(source, wait, {}).next()).toMatchObject({ value: 2 });
  });

  test('lets timers run while there is always more', async () => {
    let n = 0;
    const source = { closed: false, records: () => [n++] };
    const events = eventsOf(source, () => Promise.resolve(true), { signal: AbortSignal.timeout(20) });
    for await (const event of events) expect(event).toBeLessThan(1e9);
    expect(n).toBeGreaterThan(256);
  });
});

describe('anyReadable', () => {
  test('waits for many descriptors, and ends when all are closed', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    const fds = Array.from({ length: 21 }, () => eventFd());
    const source = { closed: false, records: () => fds.flatMap((fd) => (isReadable(fd) ? [fileRead(fd, 8)[0]] : [])) };
    const events = eventsOf(source, anyReadable(fds), {});
    const add = (fd: Fd | undefined): void => {
      if (fd) fileWrite(fd, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0));
    };
    for (const fd of [fds[3], fds[19], fds[3], fds[0]]) {
      const next = events.next();
      await sleep(1);
      add(fd);
      expect(await next).toEqual({ value: 7, done: false });
    }
    const next = events.next();
    await sleep(1);
    for (const fd of fds) fd.close();
    expect(await next).toEqual({ value: undefined, done: true });
    await sleep(1);
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  const isReadable = (fd: Fd): boolean => waitReadable([fd], 0).length > 0;
});

describe('PerfReader', () => {
  test('takes samples that go over the end, and counts what was lost', () => {
    const memory = new Uint8Array(4096 + 4096);
    const [page, data] = [new DataView(memory.buffer), memory.subarray(4096)];
    const reader = new PerfReader(memory, 4096);
    let [head, sent] = [0, 0];
    const put = (bytes: Uint8Array): void => {
      for (const byte of bytes) data[head++ % 4096] = byte;
      page.setBigUint64(1024, BigInt(head), true);
    };
    const seen: number[][] = [];
    for (let round = 0; round < 500; round++) {
      for (let n = 0; n < 7; n++) {
        const length = 4 + 8 * (sent % 9);
        const sample = new DataView(new ArrayBuffer(12 + length));
        sample.setUint32(0, 9, true);
        sample.setUint16(6, sample.byteLength, true);
        sample.setUint32(8, length, true);
        for (let i = 0; i < length; i++) sample.setUint8(12 + i, sent + i);
        put(new Uint8Array(sample.buffer));
        sent++;
      }
      const lost = new DataView(new ArrayBuffer(24));
      lost.setUint32(0, 2, true);
      lost.setUint16(6, 24, true);
      lost.setBigUint64(16, 3n, true);
      put(new Uint8Array(lost.buffer));
      reader.drain((bytes, offset, length) => void seen.push([...bytes.subarray(offset, offset + length)]), ALL);
      expect(page.getBigUint64(1032, true)).toBe(BigInt(head));
    }
    expect(seen).toHaveLength(3500);
    for (const [i, bytes] of seen.entries())
      expect(bytes).toEqual(Array.from({ length: 4 + 8 * (i % 9) }, (_, k) => (i + k) & 0xff));
    expect(reader.lost).toBe(1500);
  });
});
