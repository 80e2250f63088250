import type { MapFd, MapType } from '@bpf/sys';

/** @throws TypeError when a map is of another type */
export function requireMap({ info }: MapFd, type: MapType): void {
  if (info.type !== type) throw new TypeError(`map ${info.id} '${info.name}' is of type ${info.type}, not ${type}`);
}
