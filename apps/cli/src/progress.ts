/** Nothing is said of what is done sooner. */
const PATIENCE_MS = 1000;
const BETWEEN_MS = 200;
const CLEAR = '\r\x1b[K';

/** Says on the terminal how many there were, when they take their time and are printed elsewhere, to a file. */
export function* counted<T>(items: Iterable<T>, what: string): Generator<T> {
  if (!process.stderr.isTTY || process.stdout.isTTY) return yield* items;
  let count = 0;
  let next = performance.now() + PATIENCE_MS;
  let shown = false;
  try {
    for (const item of items) {
      yield item;
      if (++count % 256 !== 0 || performance.now() < next) continue;
      process.stderr.write(`${CLEAR}${count} ${what}`);
      shown = true;
      next = performance.now() + BETWEEN_MS;
    }
  } finally {
    if (shown) process.stderr.write(CLEAR);
  }
}
