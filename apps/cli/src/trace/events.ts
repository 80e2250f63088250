import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Btf } from '@bpf/btf';
import { createMap, type RingBuffer } from '@bpf/maps';
import { pollFd } from '@bpf/sys';
import { print } from '../output.ts';
import { styled } from '../terminal.ts';
import { until } from '../until.ts';
import { attachAll } from './attach.ts';
import { decoder, EVENT_HEAD, eventJson, eventText } from './event.ts';
import type { Traced } from './plan.ts';
import { eventProgram, type Whose } from './programs.ts';
import { layOut } from './record.ts';
import { createLost, sayBegin, sayEnd } from './report.ts';
import { kernelSymbols } from './symbols.ts';

export interface EventOptions extends Whose {
  readonly at: 'entry' | 'exit';
  readonly stack: boolean;
  readonly duration?: number | undefined;
  readonly limit?: number | undefined;
  readonly json: boolean;
}

const RING_BYTES = 4 << 20;
/** Events that are printed at once: then signals get their turn. */
const AT_ONCE = 256;
const NEVER = 2n ** 64n;

/** Prints a line for each call, until the end. */
export async function traceEvents(btf: Btf, traced: readonly Traced[], options: EventOptions): Promise<void> {
  const { at, stack, duration, limit = Number.POSITIVE_INFINITY, json } = options;
  using events = createMap({ type: 'ringbuf', bytes: RING_BYTES, name: 'events' });
  using lost = createLost();
  using attached = attachAll(traced, (one) => [eventProgram(one, layOut(one, stack), at, options)], { events, lost });
  using end = until(duration);
  sayBegin(attached);
  if (!json) await print([styled('bold', EVENT_HEAD)]);
  const decode = decoder(btf, traced, stack ? kernelSymbols() : undefined);
  const show = json ? eventJson : eventText;
  let shown = 0;
  /** Prints some of those that were before a time. */
  const printSome = async (before = NEVER): Promise<number> => {
    const some = events.records(Math.min(AT_ONCE, limit - shown)).map(decode);
    const wanted = some.filter(({ ktime }) => ktime < before);
    shown += wanted.length;
    if (wanted.length > 0) await print(wanted.map(show));
    return wanted.length;
  };
  while (shown < limit && !end.signal.aborted) {
    if ((await printSome()) === 0) await more(events, end.signal);
    else await nextTurn();
  }
  const now = process.hrtime.bigint();
  while (shown < limit && (await printSome(now)) > 0);
  sayEnd(shown, lost.get(0), attached);
}

/** Waits for events, or the end. */
async function more(events: RingBuffer, signal: AbortSignal): Promise<void> {
  try {
    await pollFd(events, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
