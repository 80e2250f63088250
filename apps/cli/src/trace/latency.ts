import { u64 } from '@bpf/btf/data';
import { createMap } from '@bpf/maps';
import { jsonLine, print } from '../output.ts';
import { until } from '../until.ts';
import { attachAll } from './attach.ts';
import { histogramJson, histogramLines, total } from './histogram.ts';
import type { Traced } from './plan.ts';
import { BUCKETS, latencyPrograms, type Whose } from './programs.ts';
import { callsOf, createLost, sayBegin, sayEnd } from './report.ts';

export interface LatencyOptions extends Whose {
  readonly duration?: number | undefined;
  readonly json: boolean;
}

/** Calls that may be going on at the same time. */
const CALLS = 16_384;
const KEY_BYTES = 16;

/** Times calls, and prints a histogram of each function at the end. */
export async function traceLatency(traced: readonly Traced[], options: LatencyOptions): Promise<void> {
  const { duration, json } = options;
  using started = createMap({ type: 'hash', keySize: KEY_BYTES, value: u64, maxEntries: CALLS, name: 'started' });
  using histogram = createMap({ type: 'array', value: u64, maxEntries: traced.length * BUCKETS, name: 'histogram' });
  using lost = createLost();
  using attached = attachAll(traced, (one) => latencyPrograms(one, options), { started, histogram, lost });
  using end = until(duration);
  sayBegin(attached);
  await end.ended;
  const counts = [...histogram.values()];
  const all = traced
    .map(({ func, index }) => ({ name: func.name, buckets: counts.slice(index * BUCKETS, (index + 1) * BUCKETS) }))
    .filter(({ buckets }) => total(buckets) > 0n);
  for (const { name, buckets } of all)
    await print(
      json
        ? [jsonLine({ function: name, calls: total(buckets), unit: 'ns', buckets: histogramJson(buckets) })]
        : [`${name}: ${callsOf(total(buckets))}\n`, ...histogramLines(buckets), '\n'],
    );
  sayEnd(
    all.reduce((sum, { buckets }) => sum + total(buckets), 0n),
    lost.get(0),
    attached,
  );
}
