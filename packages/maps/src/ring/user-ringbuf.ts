import type { Schema } from '@bpf/btf/data';
import { type MapFd, type Mapping, mmap, pageSize } from '@bpf/sys';
import { BpfMap } from '../bpf-map.ts';
import { requireMap } from './require-map.ts';
import { RingWriter } from './writer.ts';

/**
 * A ring buffer the other way round (BPF_MAP_TYPE_USER_RINGBUF): what is written here, a program takes with
 * bpf_user_ringbuf_drain(2) whenever it runs. One writer at a time. Linux 6.1 (kernel/bpf/ringbuf.c).
 *
 * @example
 * ```ts
 * const Command = struct({ pid: u32, action: u32 });
 * using ring = new UserRingBuffer(mapCreate({ type: 'user_ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096 }), Command);
 * if (!ring.write({ pid: 1, action: 2 })) console.log('full: no program took what was written before');
 * ```
 */
export class UserRingBuffer<Input = Uint8Array> extends BpfMap {
  readonly #consumer: Mapping;
  readonly #producer: Mapping;
  readonly #writer: RingWriter;
  readonly #schema: Schema<unknown, Input> | undefined;

  /**
   * Takes over the map, and closes it when this fails.
   *
   * @param schema what records are; without one they are bytes
   * @throws TypeError for a map of another type; SysError
   */
  constructor(map: MapFd, schema?: Schema<unknown, Input>) {
    super(map);
    try {
      requireMap(map, 'user_ringbuf');
      this.#consumer = mmap({ fd: map, length: pageSize(), prot: 'read' });
      this.#producer = mapProducer(map, this.#consumer);
    } catch (error) {
      map.close();
      throw error;
    }
    const producer = this.#producer.bytes;
    const data = producer.subarray(pageSize());
    this.#writer = new RingWriter({ consumer: this.#consumer.bytes, producer, data });
    this.#schema = schema;
  }

  /** Bytes, a power of 2. A record takes its own bytes and 8 more, rounded up to 8. */
  get capacity(): number {
    return this.info.maxEntries;
  }

  /** How many of those bytes no program has taken yet. @throws TypeError after close */
  available(): number {
    void this.fd;
    return this.#writer.available();
  }

  /**
   * Writes a record. The program sees all of it or nothing.
   *
   * @returns false when there is no room until a program takes some
   * @throws RangeError for one that never fits; BtfError for a value that the schema cannot encode; TypeError after close
   */
  write(record: Input): boolean {
    void this.fd;
    const schema = this.#schema;
    if (schema) return this.#writer.write(schema.size, (data, at) => schema.encodeInto(record, data, at));
    if (!(record instanceof Uint8Array)) throw new TypeError('a record is a Uint8Array, unless there is a schema');
    return this.#writer.write(record.length, (data, at) => data.set(record, at));
  }

  /** Closes the descriptor. What no program has taken is gone when nothing else holds the map. */
  override close(): void {
    if (this.closed) return;
    super.close();
    this.#consumer.unmap();
    this.#producer.unmap();
  }
}

/** The producer's page and the data, twice: ours to write to. */
function mapProducer(map: MapFd, consumer: Mapping): Mapping {
  const page = pageSize();
  try {
    return mmap({ fd: map, length: page + 2 * map.info.maxEntries, offset: page, prot: 'read-write' });
  } catch (error) {
    consumer.unmap();
    throw error;
  }
}
