const BAR = 40;

/** So many calls took from 2 ** i nanoseconds to twice that, for each i. */
export type Buckets = readonly bigint[];

/** Buckets as lines with bars, from the first that has calls to the last. */
export function* histogramLines(buckets: Buckets): Generator<string> {
  const [first, end] = [buckets.findIndex((count) => count > 0n), buckets.findLastIndex((count) => count > 0n) + 1];
  const most = Math.max(1, ...buckets.map(Number));
  const width = String(most).length;
  for (let i = Math.max(first, 0); i < end; i++) {
    const count = buckets[i] ?? 0n;
    // What is there at all is seen.
    const bar = count === 0n ? 0 : Math.max(1, Math.floor((Number(count) * BAR) / most));
    yield `  ${range(i)}  ${String(count).padStart(width)}  |${'@'.repeat(bar).padEnd(BAR)}|\n`;
  }
}

const range = (i: number): string =>
  `${duration(i === 0 ? 0 : 2 ** i).padStart(7)} .. ${duration(2 ** (i + 1)).padStart(7)}`;

const units = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
] as const;

/** Nanoseconds to three digits: `4.1 µs`. */
export function duration(ns: number): string {
  const [size, unit] = units.find(([size]) => ns >= size) ?? [1, 'ns'];
  return `${Number((ns / size).toPrecision(3))} ${unit}`;
}

/** The buckets that have calls, with their bounds in nanoseconds. */
export function histogramJson(buckets: Buckets): { from: number; to: number; count: bigint }[] {
  return [...buckets.entries()]
    .filter(([, count]) => count > 0n)
    .map(([i, count]) => ({ from: i === 0 ? 0 : 2 ** i, to: 2 ** (i + 1), count }));
}

export const total = (buckets: Buckets): bigint => buckets.reduce((sum, count) => sum + count, 0n);
