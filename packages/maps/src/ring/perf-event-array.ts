import { readFileSync } from 'node:fs';
import {
  type Fd,
  type MapFd,
  type Mapping,
  mapUpdateElem,
  mmap,
  PERF_COUNT_SW_BPF_OUTPUT,
  pageSize,
  parseCpuList,
  perfEventOpen,
  SysError,
} from '@bpf/sys';
import { BpfMap } from '../bpf-map.ts';
import { anyReadable } from './any-readable.ts';
import { type Decode, decoderOf, type Reads } from './decode.ts';
import { type EventsOptions, eventsOf } from './events.ts';
import { PerfReader } from './perf-reader.ts';
import { requireMap } from './require-map.ts';

/** A sample, and the CPU that the program ran on. */
export interface PerfSample<T> {
  readonly cpu: number;
  readonly data: T;
}

export interface PerfEventArrayOptions {
  /** Pages of data for each CPU, a power of 2. 8 unless told. */
  readonly pages?: number;
}

interface CpuRing {
  readonly cpu: number;
  readonly event: Fd;
  readonly mapping: Mapping;
  readonly reader: PerfReader;
}

/**
 * Samples that programs write with bpf_perf_event_output(2) and BPF_F_CURRENT_CPU, into a ring for each CPU
 * (BPF_MAP_TYPE_PERF_EVENT_ARRAY): for kernels before 5.8, and programs that are made for it; else a {@link RingBuffer} is
 * faster, keeps the order over CPUs, and takes less memory. CPUs that come online later have no ring. Linux 4.4
 * (kernel/events/ring_buffer.c, perf_event_open(2)).
 *
 * A sample's bytes are padded by the kernel, up to 7 bytes, so that with the 4 bytes of their length they are a multiple of 8.
 *
 * @example
 * ```ts
 * const map = mapCreate({ type: 'perf_event_array', keySize: 4, valueSize: 4, maxEntries: possibleCpus() });
 * using samples = new PerfEventArray(map, struct({ pid: u32 }));
 * for await (const { cpu, data } of samples.events()) console.log(cpu, data.pid, samples.lost);
 * ```
 */
export class PerfEventArray<T = Uint8Array> extends BpfMap {
  readonly #rings: CpuRing[] = [];
  readonly #decode: Decode<T>;
  #first = 0;

  /**
   * Takes over the map, and closes it when this fails. Opens a perf event for each CPU that is online, and puts it into the
   * map.
   *
   * @param schema what samples are; without one they are bytes
   * @throws TypeError for a map of another type; RangeError for a number of pages that is no power of 2; UnavailableError
   *   without CAP_PERFMON; SysError 'EPERM' for more memory than the sysctl kernel.perf_event_mlock_kb lets a process lock
   */
  constructor(map: MapFd, schema?: Reads<T>, options: PerfEventArrayOptions = {}) {
    super(map);
    this.#decode = decoderOf(schema);
    try {
      requireMap(map, 'perf_event_array');
      const { pages = 8 } = options;
      if (!Number.isInteger(pages) || pages < 1 || pages > 2 ** 20 || (pages & (pages - 1)) !== 0)
        throw new RangeError(`pages is ${pages}; it must be a power of 2 in 1..1048576`);
      for (const cpu of onlineCpus()) if (cpu < map.info.maxEntries) this.#open(cpu, pages);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** How many samples programs could not write, since there was no room. The kernel says so with the next that it writes. */
  get lost(): number {
    return this.#rings.reduce((sum, { reader }) => sum + reader.lost, 0);
  }

  /**
   * Takes the samples that are there now, in order for each CPU. Does not wait.
   *
   * @param max at most so many
   * @throws RangeError for a sample with fewer bytes than the schema has (it is taken); TypeError after close
   */
  records(max: number = Number.POSITIVE_INFINITY): PerfSample<T>[] {
    void this.fd;
    const samples: PerfSample<T>[] = [];
    const decode = this.#decode;
    // Not always the same CPU first: it might never come to an end.
    const first = this.#first++ % this.#rings.length;
    for (const { cpu, reader } of [...this.#rings.slice(first), ...this.#rings.slice(0, first)]) {
      if (samples.length >= max) break;
      reader.drain((data, offset, length) => {
        samples.push({ cpu, data: decode(data, offset, length) });
      }, max - samples.length);
    }
    return samples;
  }

  /**
   * Every sample from now on, as it comes: as {@link RingBuffer.events}, whose rules hold here too.
   *
   * @throws TypeError while another iterator reads; RangeError for a sample with fewer bytes than the schema has
   */
  events(options: EventsOptions = {}): AsyncIterableIterator<PerfSample<T>, undefined> {
    return eventsOf(this, anyReadable(this.#rings.map(({ event }) => event)), options);
  }

  /** Closes the map and the events, and ends {@link events}. */
  override close(): void {
    super.close();
    for (const { event, mapping } of this.#rings) {
      event.close();
      mapping.unmap();
    }
  }

  #open(cpu: number, pages: number): void {
    const event = openOutput(cpu);
    if (event === undefined) return;
    try {
      const bytes = pages * pageSize();
      const mapping = mmap({ fd: event, length: pageSize() + bytes, prot: 'read-write' });
      this.#rings.push({ cpu, event, mapping, reader: new PerfReader(mapping.bytes, bytes) });
      mapUpdateElem(
        this.map,
        new Uint8Array(Uint32Array.of(cpu).buffer),
        new Uint8Array(Int32Array.of(event.fd).buffer),
      );
    } catch (error) {
      event.close();
      throw error;
    }
  }
}

/** The event that bpf_perf_event_output writes to; undefined for a CPU that went offline. */
function openOutput(cpu: number): Fd | undefined {
  try {
    return perfEventOpen({ type: 'software', config: PERF_COUNT_SW_BPF_OUTPUT, cpu });
  } catch (error) {
    if (error instanceof SysError && error.code === 'ENODEV') return undefined;
    throw error;
  }
}

function onlineCpus(): number[] {
  return parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'utf8'));
}
