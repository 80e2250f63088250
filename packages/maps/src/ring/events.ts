import { setMaxListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many events are handed out before timers, signals and other descriptors get their turn. */
const EVENTS_IN_A_TURN = 256;

/** What events come from. @internal */
export interface EventSource<T> {
  readonly closed: boolean;
  /** At most so many of those that are there. */
  records(max: number): T[];
}

/** Waits for more: false when nothing more will come, and rejects when the signal aborts. @internal */
export type WaitForEvents = (signal: AbortSignal) => Promise<boolean>;

export interface EventsOptions {
  /** Ends the iteration, as a `break` does. */
  readonly signal?: AbortSignal | undefined;
}

const beingRead = new WeakSet<EventSource<unknown>>();

/** The iterator of `events()`: takes one record at a time, so that all others stay where they are. @internal */
export function eventsOf<T>(
  source: EventSource<T>,
  wait: WaitForEvents,
  { signal }: EventsOptions,
): AsyncIterableIterator<T, undefined> {
  const stop = new AbortController();
  const end = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  // Each descriptor that is waited for listens to it: no leak, however many there are.
  setMaxListeners(0, end);
  const events = read(source, wait, end);
  return {
    next: () => events.next(),
    // A generator that waits would not return before an event comes.
    return() {
      stop.abort();
      return events.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* read<T>(
  source: EventSource<T>,
  wait: WaitForEvents,
  signal: AbortSignal,
): AsyncGenerator<T, undefined, undefined> {
  if (beingRead.has(source))
    throw new TypeError('another iterator reads these events: end it first, or hand its events on to both');
  beingRead.add(source);
  try {
    let handedOut = 0;
    while (!signal.aborted && !source.closed) {
      const events = source.records(1);
      if (events.length === 0) {
        if (!(await waitUnlessAborted(wait, signal))) return;
        continue;
      }
      yield events[0] as T;
      if (++handedOut % EVENTS_IN_A_TURN === 0) await nextTurn();
    }
  } finally {
    beingRead.delete(source);
  }
}

async function waitUnlessAborted(wait: WaitForEvents, signal: AbortSignal): Promise<boolean> {
  try {
    return await wait(signal);
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
