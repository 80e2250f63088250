import { setTimeout as sleep } from 'node:timers/promises';
import { ArrayMap, HashMap } from '@bpf/maps';
import { jsonLine, print, printable } from '../output.ts';
import { open } from './entries.ts';

interface Options {
  readonly interval: number;
  readonly limit?: number;
  readonly json?: true;
}

/** `bpf map watch`: entries as they change, until Ctrl-C. */
export async function watchMap(argument: string, { interval, limit, json }: Options): Promise<void> {
  using map = open(argument);
  if (!(map instanceof HashMap) && !(map instanceof ArrayMap))
    throw new Error(`A map of type ${map.info.type} has no entries to watch.`);
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  const before = new Map<string, string>();
  let seen = 0;
  for (let first = true; !abort.signal.aborted; first = false) {
    const now = new Set<string>();
    for (const [key, value] of map.entries() as Iterable<[unknown, unknown]>) {
      const [k, v] = [jsonLine(key).trimEnd(), jsonLine(value).trimEnd()];
      now.add(k);
      if (before.get(k) === v) continue;
      before.set(k, v);
      if (first) continue;
      await print([json ? `{"key":${k},"value":${v}}\n` : printable(`${k}: ${v}`).concat('\n')]);
      if (++seen === limit) return;
    }
    for (const k of before.keys()) {
      if (now.has(k)) continue;
      before.delete(k);
      await print([json ? `{"key":${k},"deleted":true}\n` : `${printable(k)}: deleted\n`]);
      if (++seen === limit) return;
    }
    await sleep(interval * 1000, undefined, { signal: abort.signal }).catch(() => {});
  }
}
