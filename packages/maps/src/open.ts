import { type Btf, BtfError, parseBtf } from '@bpf/btf';
import { type AnySchema, checkLayout, schemaOf } from '@bpf/btf/data';
import { btfGetBytes, btfGetFdById, type HasFd, MapFd, type MapType, mapGetFdById, objGet } from '@bpf/sys';
import type { BpfMap } from './bpf-map.ts';
import { MapError } from './error.ts';
import type { FdArray } from './fd-map.ts';
import { makeMap, type Schemas } from './make.ts';
import type { MapOf } from './options.ts';

/** Which map: by the id that `bpftool map` prints, by its path on a bpffs, or by a descriptor, which is taken over. */
export type MapPlace =
  | { readonly id: number; readonly path?: undefined; readonly fd?: undefined }
  | { readonly path: string; readonly id?: undefined; readonly fd?: undefined }
  | { readonly fd: number; readonly id?: undefined; readonly path?: undefined };

/** What a map that exists is expected to be. What is left out is not checked; keys and values are bytes without a schema. */
export type ExpectedMap = MapPlace & {
  readonly type: MapType | number;
  readonly key?: AnySchema;
  readonly value?: AnySchema;
  readonly keySize?: number;
  readonly valueSize?: number;
};

/** As what `createMap` makes; but the events of a perf_event_array are those of whoever put them there. */
export type OpenedMap<O extends ExpectedMap> = O['type'] extends 'perf_event_array' ? FdArray : MapOf<O>;

/**
 * Opens a map that exists, and checks that it is what this program takes it for: its type, its sizes, and, when it carries
 * BTF, the name, offset and size of every field of the schemas.
 *
 * @throws MapError naming the field that differs; SysError 'ENOENT' when there is no such map; TypeError when it is a
 *   program or a link; UnavailableError
 * @example
 * ```ts
 * using counts = openMap({ path: '/sys/fs/bpf/counts', type: 'hash', key: u32, value: struct({ calls: u64 }) });
 * ```
 */
export function openMap<const O extends ExpectedMap>(expected: O): OpenedMap<O> {
  return withMap(expected, (map) => {
    check(map, expected);
    return makeMap(map, expected) as BpfMap as OpenedMap<O>;
  });
}

/**
 * Opens a map that exists, of whatever type, and decodes its keys and values by the BTF that it carries: to numbers,
 * bigints, names of enums, strings and objects.
 *
 * @throws MapError `NO_BTF` when it carries none: open it with `openMap`; SysError, UnavailableError
 * @example
 * ```ts
 * using map = openMapByBtf({ id: 42 });
 * if (map instanceof HashMap) for (const [key, value] of map) console.log(key, value);
 * ```
 */
export function openMapByBtf(place: MapPlace): BpfMap {
  return withMap(place, (map) => makeMap(map, schemasOf(map)));
}

function withMap<T>(place: MapPlace, make: (map: MapFd) => T): T {
  const map = openFd(place);
  try {
    return make(map);
  } catch (error) {
    map.close();
    throw error;
  }
}

function openFd(place: MapPlace): MapFd {
  if (place.id !== undefined) return mapGetFdById(place.id);
  if (place.fd !== undefined) return new MapFd(place.fd);
  const pinned = objGet(place.path);
  return new MapFd(pinned.disown());
}

function check(map: MapFd, expected: ExpectedMap): void {
  const { info } = map;
  const subject = `map ${info.id} '${info.name}'`;
  const differs = (field: string, wanted: unknown, actual: unknown): never => {
    const message = `${subject} has ${field} ${actual}, not ${wanted}: the program that made it and this one disagree`;
    throw new MapError('MISMATCH', field, message);
  };
  if (expected.type !== info.type) differs('type', expected.type, info.type);
  for (const [field, wanted] of [
    ['keySize', expected.keySize ?? expected.key?.size],
    ['valueSize', isRing(info.type) ? undefined : (expected.valueSize ?? expected.value?.size)],
  ] as const)
    if (wanted !== undefined && wanted !== info[field]) differs(field, wanted, info[field]);
  if ((expected.key || expected.value) && info.btfId !== 0) checkTypes(map, expected, subject);
}

const isRing = (type: MapType | number): boolean => type === 'ringbuf' || type === 'user_ringbuf';

function checkTypes(map: MapFd, { key, value }: Schemas, subject: string): void {
  const { btfId, btfKeyTypeId, btfValueTypeId } = map.info;
  const btf = btfById(btfId);
  for (const [part, schema, typeId] of [
    ['key', key, btfKeyTypeId],
    ['value', value, btfValueTypeId],
  ] as const) {
    if (schema === undefined || typeId === 0) continue;
    try {
      checkLayout(btf, typeId, schema);
    } catch (error) {
      if (!(error instanceof BtfError)) throw error;
      throw new MapError(
        'MISMATCH',
        part,
        `the ${part}s of ${subject} differ from the schema: ${error.message}`,
        error,
      );
    }
  }
}

function schemasOf(map: MapFd): Schemas {
  const { id, name, btfId, btfKeyTypeId, btfValueTypeId } = map.info;
  if (btfId === 0)
    throw new MapError(
      'NO_BTF',
      'btfId',
      `map ${id} '${name}' carries no BTF: open it with openMap, as bytes or with schemas`,
    );
  const btf = btfById(btfId);
  return {
    key: btfKeyTypeId === 0 ? undefined : schemaOf(btf, btfKeyTypeId),
    value: btfValueTypeId === 0 ? undefined : schemaOf(btf, btfValueTypeId),
  };
}

function btfById(id: number): Btf {
  using fd: HasFd & Disposable = btfGetFdById(id);
  return parseBtf(btfGetBytes(fd));
}
