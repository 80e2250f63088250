import { PerfEventArray, type RingBuffer } from '@bpf/maps';
import { type Fd, MapFd, mapGetInfo } from '@bpf/sys';
import { jsonLine, print } from '../output.ts';
import { until } from '../until.ts';
import { openMapFd, openTyped } from './list.ts';
import { plain, text } from './values.ts';

interface Options {
  readonly json?: true;
  readonly limit?: number;
}

/** `bpf events`: what programs send through a ring buffer or a perf event array, as it comes, until Ctrl-C or until nobody reads. */
export async function printEvents(argument: string, { json, limit }: Options): Promise<void> {
  using source = open(openMapFd(argument));
  using end = until();
  let seen = 0;
  let lost = 0;
  for await (const event of source.events({ signal: end.signal })) {
    await print([json ? jsonLine(plain(event)) : `${line(event)}\n`]);
    if (source instanceof PerfEventArray && source.lost > lost) {
      process.stderr.write(`bpf: ${source.lost - lost} events were lost: they came faster than they were read\n`);
      lost = source.lost;
    }
    if (++seen === limit) break;
  }
}

function open(fd: Fd): RingBuffer<unknown> | PerfEventArray {
  using map = fd;
  const { id, type } = mapGetInfo(map);
  if (type === 'ringbuf') return openTyped(map) as RingBuffer<unknown>;
  if (type === 'perf_event_array') return new PerfEventArray(new MapFd(map.disown()));
  const other = ['queue', 'stack'].includes(String(type)) ? '' : ': `bpf map watch` shows how its entries change';
  throw new Error(`Map ${id} is of type ${type}, and events come from a ringbuf or a perf_event_array${other}.`);
}

/** A sample of a perf event array says which CPU it is from. */
function line(event: unknown): string {
  const { cpu, data } = Object(event) as { cpu?: unknown; data?: unknown };
  return data instanceof Uint8Array && cpu !== undefined ? `cpu ${cpu}: ${text(data)}` : text(event);
}
