import { type MapFlag, type MapType, mapCreate, objPin } from '@bpf/sys';
import { openMapFd } from './list.ts';

interface Options {
  readonly type: MapType;
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly name?: string;
  readonly flags?: readonly MapFlag[];
}

/** `bpf map create`: makes a map and pins it, because nothing else would hold it. */
export function createMap(path: string, { type, key, value, entries, name, flags }: Options): void {
  using map = mapCreate({
    type,
    keySize: key,
    valueSize: value,
    maxEntries: entries,
    ...(name !== undefined && { name }),
    ...(flags && { flags }),
  });
  objPin(path, map);
}

/** `bpf map pin`. */
export function pinMap(argument: string, path: string): void {
  using map = openMapFd(argument);
  objPin(path, map);
}
