import { type MapFd, type Mapping, mapFlags, mmap, pageSize, pollFd } from '@bpf/sys';
import { BpfMap } from '../bpf-map.ts';
import { type Decode, decoderOf, type Reads } from './decode.ts';
import { type EventsOptions, eventsOf } from './events.ts';
import { type RecordCallback, RingReader } from './reader.ts';
import { requireMap } from './require-map.ts';

/**
 * A ring buffer (BPF_MAP_TYPE_RINGBUF): what programs put into it with bpf_ringbuf_output(2), or bpf_ringbuf_reserve(2)
 * and bpf_ringbuf_submit(2), on any CPU, comes out in that order. One reader: what one object takes, another does not get.
 * Linux 5.8 (kernel/bpf/ringbuf.c).
 *
 * When the ring is full, reserving fails, and the kernel counts nothing: a program that wants to know adds one to an array
 * map where it gets NULL.
 *
 * @example
 * ```ts
 * const Exec = struct({ pid: u32, comm: char(16) });
 * using ring = new RingBuffer(mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 65536 }), Exec);
 * for await (const { pid, comm } of ring.events({ signal: AbortSignal.timeout(1000) })) console.log(pid, comm);
 * ```
 */
export class RingBuffer<T = Uint8Array> extends BpfMap {
  readonly #consumer: Mapping;
  readonly #producer: Mapping;
  readonly #reader: RingReader;
  readonly #decode: Decode<T>;

  /**
   * Takes over the map, and closes it when this fails.
   *
   * @param schema what records are; without one they are bytes
   * @throws TypeError for a map of another type, or one in overwrite mode; SysError
   */
  constructor(map: MapFd, schema?: Reads<T>) {
    super(map);
    try {
      requireMap(map, 'ringbuf');
      // Linux 6.19: the oldest records give way. It has a third position, which moves under the reader.
      if ((this.info.flags & mapFlags.rb_overwrite) !== 0)
        throw new TypeError(
          `ring buffer '${this.info.name}' overwrites its oldest records, which this reader cannot follow`,
        );
      const page = pageSize();
      this.#consumer = mmap({ fd: map, length: page, prot: 'read-write' });
      this.#producer = mapProducer(map, this.#consumer);
    } catch (error) {
      map.close();
      throw error;
    }
    const [producer, data] = [this.#producer.bytes, this.#producer.bytes.subarray(pageSize())];
    this.#reader = new RingReader({ consumer: this.#consumer.bytes, producer, data });
    this.#decode = decoderOf(schema);
  }

  /** Bytes, a power of 2. A record takes its own bytes and 8 more, rounded up to 8. */
  get capacity(): number {
    return this.info.maxEntries;
  }

  /**
   * How many of those bytes are reserved and not yet taken: near {@link capacity}, records are being lost.
   *
   * @throws TypeError after close
   */
  available(): number {
    void this.fd;
    return this.#reader.available();
  }

  /**
   * Calls `fn` for each record that is there now, without copying it: `length` bytes of `data` from `offset` on are the
   * ring's own memory, which the kernel writes to again after the call; writing to it is a crash (SIGSEGV). The fastest way.
   * A record whose callback throws counts as taken, and those after it stay. Does not wait: `pollFd(ring)` does.
   *
   * @param max at most so many
   * @returns how many records there were; those that a program discarded do not count
   * @throws TypeError after close, and when `fn` itself takes records; what `fn` throws
   * @example
   * ```ts
   * let first = 0;
   * const count = ring.drain((data, offset) => {
   *   first += data[offset] ?? 0;
   * });
   * ```
   */
  drain(fn: RecordCallback, max: number = Number.POSITIVE_INFINITY): number {
    void this.fd;
    return this.#reader.drain(fn, max);
  }

  /**
   * Takes the records that are there now: decoded, or copies of their bytes. Does not wait.
   *
   * @param max at most so many
   * @throws RangeError for a record with fewer bytes than the schema has (it is taken); TypeError after close
   */
  records(max: number = Number.POSITIVE_INFINITY): T[] {
    const records: T[] = [];
    const decode = this.#decode;
    this.drain((data, offset, length) => {
      records.push(decode(data, offset, length));
    }, max);
    return records;
  }

  /**
   * Every record from now on, as it comes. Only what is handed out leaves the ring, one by one: a slow loop lets the ring
   * fill up, and never this process's memory. One iterator at a time. Waiting takes no thread, and keeps the process alive.
   *
   * The iteration ends when the loop is left, when the ring is closed and when the signal aborts. An abort is no error
   * here, in contrast to `events.on` of Node: it is the one way to end what has no end by itself.
   *
   * A stream of it is `Readable.from(ring.events())`, or `ReadableStream.from(ring.events())`.
   *
   * @throws TypeError while another iterator reads; RangeError for a record with fewer bytes than the schema has
   * @example
   * ```ts
   * for await (const event of ring.events()) console.log(event);
   * ```
   */
  events(options: EventsOptions = {}): AsyncIterableIterator<T, undefined> {
    return eventsOf(this, (signal) => pollFd(this, { signal }), options);
  }

  /** Closes the descriptor and ends {@link events}. What was not taken is gone when nothing else holds the map. */
  override close(): void {
    if (this.closed) return;
    super.close();
    this.#reader.stop();
    this.#consumer.unmap();
    this.#producer.unmap();
  }
}

/** The producer's page and the data, twice. Only the kernel may write there. */
function mapProducer(map: MapFd, consumer: Mapping): Mapping {
  const page = pageSize();
  try {
    return mmap({ fd: map, length: page + 2 * map.info.maxEntries, offset: page, prot: 'read' });
  } catch (error) {
    consumer.unmap();
    throw error;
  }
}
