import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLine, print } from '../output.ts';
import { until } from '../until.ts';
import { entriesOf, open } from './entries.ts';
import { plain, text } from './values.ts';

interface Options {
  readonly interval: number;
  readonly limit?: number;
  readonly json?: true;
}

interface Entry {
  readonly key: unknown;
  readonly value: unknown;
  /** As JSON, to compare it. */
  readonly says: string;
}

/** `bpf map watch`: entries as they change, until Ctrl-C, or until nobody reads. */
export async function watchMap(argument: string, { interval, limit, json }: Options): Promise<void> {
  using map = open(argument);
  using end = until();
  let before: Map<string, Entry> | undefined;
  let seen = 0;
  while (!end.signal.aborted) {
    const now = new Map<string, Entry>();
    for (const [key, value] of entriesOf(map))
      now.set(jsonLine(plain(key)), { key, value, says: jsonLine(plain(value)) });
    for (const line of before ? changes(before, now, json) : []) {
      await print([line]);
      if (++seen === limit) return;
    }
    before = now;
    await sleep(interval * 1000, undefined, { signal: end.signal }).catch(() => {});
  }
}

function* changes(before: ReadonlyMap<string, Entry>, now: ReadonlyMap<string, Entry>, json?: true): Generator<string> {
  for (const [id, { key, value, says }] of now)
    if (before.get(id)?.says !== says)
      yield json ? jsonLine({ key: plain(key), value: plain(value) }) : `${text(key)}: ${text(value)}\n`;
  for (const [id, { key }] of before)
    if (!now.has(id)) yield json ? jsonLine({ key: plain(key), deleted: true }) : `${text(key)}: deleted\n`;
}
