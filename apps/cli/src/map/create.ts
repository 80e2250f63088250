import { type MapFlag, type MapType, mapCreate, objPin } from '@bpf/sys';
import { jsonLine, print } from '../output.ts';
import { mapJson, openMapFd } from './list.ts';

interface Options {
  readonly type: MapType;
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly name?: string;
  readonly flags?: readonly MapFlag[];
  readonly json?: true;
}

/** `bpf map create`: makes a map and pins it, because nothing else would hold it. */
export async function createMap(path: string, options: Options): Promise<void> {
  const { type, key, value, entries, name, flags } = options;
  using map = mapCreate({
    type,
    keySize: key,
    valueSize: value,
    maxEntries: entries,
    ...(name !== undefined && { name }),
    ...(flags && { flags }),
  });
  objPin(path, map);
  if (options.json) await print([jsonLine(mapJson(map))]);
}

/** `bpf map pin`. */
export function pinMap(argument: string, path: string): void {
  using map = openMapFd(argument);
  objPin(path, map);
}
