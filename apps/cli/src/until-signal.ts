/** Aborts at the first SIGINT or SIGTERM, so that what goes on until then ends as if it were done; the second ends the process. */
export function untilSignal(): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  const end = (): void => {
    stop();
    abort.abort();
  };
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stop = (): void => {
    for (const signal of signals) process.off(signal, end);
  };
  for (const signal of signals) process.on(signal, end);
  return { signal: abort.signal, [Symbol.dispose]: stop };
}
