import { setTimeout as sleep } from 'node:timers/promises';
import { char, u64 } from '@bpf/btf/data';
import { type ArrayMap, createMap, type HashMap } from '@bpf/maps';
import { jsonLine, print } from '../output.ts';
import { table } from '../table.ts';
import { until } from '../until.ts';
import { attachAll } from './attach.ts';
import type { Traced } from './plan.ts';
import { countProgram, type Whose } from './programs.ts';
import { createLost, sayBegin, sayEnd } from './report.ts';

export interface CountOptions extends Whose {
  readonly by: 'function' | 'comm';
  readonly at: 'entry' | 'exit';
  readonly duration?: number | undefined;
  readonly json: boolean;
}

const NAMES = 10_240;
const REDRAW_MS = 1000;

type Row = readonly [name: string, calls: bigint];

/** Counts calls, and prints a table at the end; on a terminal it is there all the while. */
export async function traceCounts(traced: readonly Traced[], options: CountOptions): Promise<void> {
  const { by, at, duration, json } = options;
  using calls = by === 'comm' ? byComm() : byFunction(traced.length);
  using lost = createLost();
  using attached = attachAll(traced, (one) => [countProgram(one, by, at, options)], { calls, lost });
  using end = until(duration);
  sayBegin(attached);
  const rows = (): Row[] =>
    [...calls]
      .map(([key, calls]): Row => [typeof key === 'string' ? key : (traced[key]?.func.name ?? ''), calls])
      .filter(([, calls]) => calls > 0n)
      .sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0));
  const live = process.stdout.isTTY && !json;
  let drawn = 0;
  while (live && !end.signal.aborted) {
    await sleep(REDRAW_MS, undefined, { signal: end.signal }).catch(() => {});
    if (!end.signal.aborted) drawn = await draw(by, rows().slice(0, process.stdout.rows - 2), drawn);
  }
  await end.ended;
  const last = rows();
  if (json) await print(last.map(([name, calls]) => jsonLine({ [by]: name, calls })));
  else await draw(by, last, drawn);
  sayEnd(
    last.reduce((sum, [, calls]) => sum + calls, 0n),
    lost.get(0),
    attached,
  );
}

const byComm = (): HashMap<string, bigint, string, number | bigint> =>
  createMap({ type: 'hash', key: char(16), value: u64, maxEntries: NAMES, name: 'calls' });

const byFunction = (functions: number): ArrayMap<bigint, number | bigint> =>
  createMap({ type: 'array', value: u64, maxEntries: functions, name: 'calls' });

/** Prints the table in the place of the one before, of so many lines. @returns how many this one has */
async function draw(by: string, rows: readonly Row[], before: number): Promise<number> {
  const columns = [{ head: 'CALLS', align: 'right' as const }, { head: by.toUpperCase() }];
  const lines = [
    ...table(
      columns,
      rows.map(([name, calls]) => [calls, name]),
    ),
  ];
  await print([before > 0 ? `\x1b[${before}A\x1b[J` : '', ...lines]);
  return lines.length;
}
