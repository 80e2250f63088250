import { pollFd } from '@bpf/sys';
import { untilSignal } from '../until-signal.ts';

const STDOUT = 1;

/** Aborts at SIGINT or SIGTERM, after so many seconds, or when nobody is left to read what a pipe is given. */
export function until(seconds: number | undefined): { readonly signal: AbortSignal } & Disposable {
  const end = untilSignal();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  end.signal.addEventListener('abort', stop);
  const timer = seconds === undefined ? undefined : setTimeout(stop, seconds * 1000);
  // Writing would tell, but a call that is written may not come for hours.
  pollFd(STDOUT, { signal: abort.signal }).then(
    (open) => open || stop(),
    () => {},
  );
  return {
    signal: abort.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      stop();
      end[Symbol.dispose]();
    },
  };
}
