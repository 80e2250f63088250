import { pollFd } from '@bpf/sys';
import { untilSignal } from './until-signal.ts';

const STDOUT = 1;
/** The longest that a timer may wait: 24 days. */
const LONG_MS = 2 ** 31 - 1;

export interface Until extends Disposable {
  readonly signal: AbortSignal;
  /** Resolves when the signal aborts. */
  readonly ended: Promise<void>;
}

/**
 * Aborts at SIGINT or SIGTERM, after so many seconds, or when nobody is left to read what a pipe is given. It keeps the
 * process alive until then.
 */
export function until(seconds?: number): Until {
  const end = untilSignal();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  end.signal.addEventListener('abort', stop);
  const timer = seconds === undefined ? setInterval(() => {}, LONG_MS) : setTimeout(stop, seconds * 1000);
  // Writing would tell, but what is to be written may not come for hours.
  pollFd(STDOUT, { signal: abort.signal }).then(
    (open) => open || stop(),
    () => {},
  );
  return {
    signal: abort.signal,
    ended: new Promise((resolve) => abort.signal.addEventListener('abort', () => resolve())),
    [Symbol.dispose]() {
      clearTimeout(timer);
      stop();
      end[Symbol.dispose]();
    },
  };
}
