import { type MapCreateOptions, type MapFd, type MapType, mapCreate, mapGetFdById } from '@bpf/sys';
import { ArrayMap, HashMap } from './bpf-map.ts';
import { MapError } from './error.ts';

export interface HashMapOptions extends Omit<MapCreateOptions, 'type'> {
  readonly type: 'hash';
}

export interface ArrayMapOptions extends Omit<MapCreateOptions, 'type' | 'keySize'> {
  readonly type: 'array';
}

/** What an existing map is expected to be; what is left out is not checked. */
export interface ExpectedMap<Type extends MapType> {
  readonly id: number;
  readonly type: Type;
  readonly keySize?: number;
  readonly valueSize?: number;
}

/**
 * Creates a map. Sizes in bytes; an array's keys are its indexes.
 *
 * @throws SysError, UnavailableError; RangeError for a number or name that the kernel cannot take
 * @example
 * ```ts
 * using counts = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1024 });
 * counts.set(Uint8Array.of(1, 0, 0, 0), new Uint8Array(8));
 * for (const [key, value] of counts) console.log(key, value);
 * ```
 */
export function createMap(options: HashMapOptions): HashMap;
export function createMap(options: ArrayMapOptions): ArrayMap;
export function createMap(options: HashMapOptions | ArrayMapOptions): HashMap | ArrayMap {
  return options.type === 'hash'
    ? new HashMap(mapCreate(options))
    : new ArrayMap(mapCreate({ ...options, keySize: 4 }));
}

/**
 * Opens a map that exists, by the id that `bpftool map` prints, and checks that it is what this program takes it for.
 *
 * @throws MapError naming the field that differs; SysError 'ENOENT' when there is no such map; UnavailableError
 */
export function openMap(expected: ExpectedMap<'hash'>): HashMap;
export function openMap(expected: ExpectedMap<'array'>): ArrayMap;
export function openMap(expected: ExpectedMap<MapType>): HashMap | ArrayMap {
  const fd = mapGetFdById(expected.id);
  try {
    check(fd, expected);
  } catch (error) {
    fd.close();
    throw error;
  }
  return expected.type === 'hash' ? new HashMap(fd) : new ArrayMap(fd);
}

function check({ info }: MapFd, expected: ExpectedMap<MapType>): void {
  for (const field of ['type', 'keySize', 'valueSize'] as const) {
    const wanted = expected[field];
    if (wanted !== undefined && wanted !== info[field])
      throw new MapError(`map ${info.id} '${info.name}'`, field, wanted, info[field]);
  }
}
