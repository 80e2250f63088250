import { encodeBtf } from '@bpf/btf/build';
import { type AnySchema, bytes, type Schema, schemaToBtf, u32 } from '@bpf/btf/data';
import {
  btfLoad,
  type MapCreateOptions,
  type MapFd,
  mapCreate,
  possibleCpus,
  SysError,
  UnavailableError,
} from '@bpf/sys';
import type { BpfMap } from './bpf-map.ts';
import { makeMap, type Schemas } from './make.ts';
import type { MapOf, MapOptions } from './options.ts';
import { PerfEventArray } from './ring/perf-event-array.ts';

/**
 * Creates a map, with the operations that its type has. With schemas for key and value, these are typed, and the map carries
 * their types as BTF, so that bpftool prints its fields by name.
 *
 * @throws SysError, whose message says what the type demands; UnavailableError when this kernel lacks the type or does not
 *   permit it; RangeError for a number or name that the kernel cannot take
 * @example
 * ```ts
 * const Count = struct({ calls: u64, comm: char(16) });
 * using counts = createMap({ type: 'hash', key: u32, value: Count, maxEntries: 1024 });
 * counts.set(1, { calls: 1n, comm: 'init' });
 * for (const [pid, { calls, comm }] of counts) console.log(pid, comm, calls);
 * ```
 */
export function createMap<const O extends MapOptions>(options: O): MapOf<O> {
  const schemas = schemasOf(options);
  const map = create({ ...common(options), ...sizes(options) }, schemas);
  try {
    return made(map, options, schemas) as BpfMap as MapOf<O>;
  } catch (error) {
    map.close();
    throw error;
  }
}

function made(map: MapFd, options: MapOptions, schemas: Schemas): BpfMap {
  if (options.type !== 'perf_event_array') return makeMap(map, schemas);
  const { pages } = options;
  return new PerfEventArray(map, schemas.value as Schema<unknown> | undefined, pages === undefined ? {} : { pages });
}

const schemasOf = (options: MapOptions): Schemas => ({
  key: 'key' in options ? options.key : undefined,
  value: 'value' in options ? options.value : undefined,
});

function common({
  type,
  name,
  flags,
  numaNode,
  token,
}: MapOptions): Pick<MapCreateOptions, 'type'> & Partial<MapCreateOptions> {
  // Of these the kernel demands it.
  const demanded = type === 'lpm_trie' || type === 'rhash' || isStorage(type);
  return {
    type,
    ...(name !== undefined && { name }),
    ...(demanded ? { flags: ['no_prealloc', ...(flags ?? [])] } : flags && { flags }),
    ...(numaNode !== undefined && { numaNode }),
    ...(token && { token }),
  };
}

type Sizes = Pick<MapCreateOptions, 'keySize' | 'valueSize' | 'maxEntries'> & Partial<MapCreateOptions>;

/** What each type has for sizes, as the kernel wants them. */
function sizes(options: MapOptions): Sizes {
  const key = 'keySize' in options && options.keySize !== undefined ? options.keySize : sizeOf(options, 'key');
  const value =
    'valueSize' in options && options.valueSize !== undefined ? options.valueSize : sizeOf(options, 'value');
  const maxEntries = 'maxEntries' in options ? (options.maxEntries ?? 0) : 0;
  switch (options.type) {
    case 'array':
    case 'percpu_array':
      return { keySize: 4, valueSize: value, maxEntries };
    case 'queue':
    case 'stack':
      return { keySize: 0, valueSize: value, maxEntries };
    case 'bloom_filter':
      return { keySize: 0, valueSize: value, maxEntries, mapExtra: options.hashes ?? 0 };
    case 'array_of_maps':
      return { keySize: 4, valueSize: 4, maxEntries, innerMap: options.innerMap };
    case 'hash_of_maps':
      return { keySize: key, valueSize: 4, maxEntries, innerMap: options.innerMap };
    // Sockets go into values of 4 bytes too, but their cookies do not come out of them.
    case 'sockhash':
      return { keySize: key, valueSize: 8, maxEntries };
    case 'devmap_hash':
      return { keySize: key, valueSize: value || 4, maxEntries };
    case 'stack_trace':
      return { keySize: 4, valueSize: 8 * (options.depth ?? 127), maxEntries };
    case 'ringbuf':
    case 'user_ringbuf':
      return { keySize: 0, valueSize: 0, maxEntries: options.bytes };
    case 'perf_event_array':
      return { keySize: 4, valueSize: 4, maxEntries: options.maxEntries ?? possibleCpus() };
    case 'prog_array':
    case 'cgroup_array':
    case 'xskmap':
      return { keySize: 4, valueSize: 4, maxEntries };
    case 'devmap':
    case 'cpumap':
      return { keySize: 4, valueSize: value || 4, maxEntries };
    case 'sockmap':
    case 'reuseport_sockarray':
      return { keySize: 4, valueSize: 8, maxEntries };
    case 'sk_storage':
    case 'inode_storage':
    case 'task_storage':
    case 'cgrp_storage':
      return { keySize: 4, valueSize: value, maxEntries: 0 };
    case 'arena':
    case 'insn_array':
    case 'cgroup_storage':
    case 'percpu_cgroup_storage':
      return { keySize: key, valueSize: value, maxEntries };
    default:
      return {
        keySize: key,
        valueSize: value,
        maxEntries,
        ...('mapExtra' in options && options.mapExtra !== undefined && { mapExtra: options.mapExtra }),
      };
  }
}

const isStorage = (type: MapOptions['type']): boolean =>
  type === 'sk_storage' || type === 'inode_storage' || type === 'task_storage' || type === 'cgrp_storage';

function sizeOf(options: MapOptions, part: 'key' | 'value'): number {
  return schemasOf(options)[part]?.size ?? 0;
}

/** Types of maps whose keys and values BTF can describe. */
const described: readonly MapOptions['type'][] = [
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'rhash',
  'lpm_trie',
  'array',
  'percpu_array',
  'hash_of_maps',
  'sk_storage',
  'inode_storage',
  'task_storage',
  'cgrp_storage',
];

function create(options: MapCreateOptions, schemas: Schemas): MapFd {
  const type = options.type as MapOptions['type'];
  // The kernel makes storages with types only.
  const value = schemas.value ?? (isStorage(type) ? bytes(options.valueSize) : undefined);
  if (value === undefined || !described.includes(type)) return mapCreate(options);
  const key = schemas.key ?? (options.keySize === u32.size ? u32 : bytes(options.keySize));
  try {
    return withTypes(options, key, value);
  } catch (error) {
    // Types that this kernel does not take, or not for this type of map: it is as good without them.
    if (!(error instanceof SysError) || error instanceof UnavailableError || isStorage(type)) throw error;
    return mapCreate(options);
  }
}

function withTypes(options: MapCreateOptions, key: AnySchema, value: AnySchema): MapFd {
  const keyTypes = schemaToBtf(key, 'key');
  const { types, typeId } = schemaToBtf(value, options.name || 'value', keyTypes.types);
  using btf = btfLoad(encodeBtf(types));
  return mapCreate({ ...options, btf, btfKeyTypeId: keyTypes.typeId, btfValueTypeId: typeId });
}
