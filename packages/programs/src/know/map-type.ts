import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import { btfLoad, type MapCreateOptions, type MapFd, type MapType, mapCreate, mapTypeSince } from '@bpf/sys';
import { kernelBtf } from '../kernel-btf.ts';
import { type Answer, attempt, remembered } from './answer.ts';

type Sizes = Partial<MapCreateOptions>;
/** How one of each type is made: sizes (4, 8 and 4 entries where nothing is said), or what makes it. */
const mapTypes: Readonly<Record<MapType, Sizes | ((type: MapType) => MapFd | undefined)>> = {
  hash: {},
  array: {},
  prog_array: { valueSize: 4 },
  perf_event_array: { valueSize: 4 },
  percpu_hash: {},
  percpu_array: {},
  stack_trace: {},
  cgroup_array: { valueSize: 4 },
  lru_hash: {},
  lru_percpu_hash: {},
  lpm_trie: { keySize: 8, flags: ['no_prealloc'] },
  array_of_maps: outer,
  hash_of_maps: outer,
  devmap: { valueSize: 4 },
  sockmap: { valueSize: 4 },
  cpumap: { valueSize: 4, maxEntries: 1 },
  xskmap: { valueSize: 4 },
  sockhash: { valueSize: 4 },
  cgroup_storage: { keySize: 8, maxEntries: 0 },
  reuseport_sockarray: {},
  percpu_cgroup_storage: { keySize: 8, maxEntries: 0 },
  queue: { keySize: 0 },
  stack: { keySize: 0 },
  sk_storage: storage,
  devmap_hash: { valueSize: 4 },
  struct_ops: (type) => makeStructOps(type),
  ringbuf: { keySize: 0, valueSize: 0, maxEntries: 65_536 },
  inode_storage: storage,
  task_storage: storage,
  bloom_filter: { keySize: 0 },
  user_ringbuf: { keySize: 0, valueSize: 0, maxEntries: 65_536 },
  cgrp_storage: storage,
  arena: { keySize: 0, valueSize: 0, maxEntries: 1, flags: ['mmapable'] },
  insn_array: { valueSize: 16 },
  rhash: { flags: ['no_prealloc'] },
};

const configs: Readonly<Partial<Record<MapType, string>>> = {
  cgroup_array: 'CONFIG_CGROUPS',
  cgroup_storage: 'CONFIG_CGROUP_BPF',
  percpu_cgroup_storage: 'CONFIG_CGROUP_BPF',
  cgrp_storage: 'CONFIG_CGROUPS',
  inode_storage: 'CONFIG_BPF_LSM',
  perf_event_array: 'CONFIG_PERF_EVENTS',
  stack_trace: 'CONFIG_PERF_EVENTS',
  xskmap: 'CONFIG_XDP_SOCKETS',
  struct_ops: 'CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF',
  arena: 'CONFIG_MMU and 64 bits',
};

/** Every type of map. */
export const mapTypeNames = Object.keys(mapTypes) as MapType[];

/**
 * Whether this kernel has a type of maps, tried by making one. Any Linux.
 *
 * @throws RangeError for a name that is no type
 * @example
 * ```ts
 * const ring = haveMapType('ringbuf').supported ? 'ringbuf' : 'perf_event_array';
 * ```
 */
export function haveMapType(type: MapType): Answer {
  if (!Object.hasOwn(mapTypes, type))
    throw new RangeError(`'${type}' is not a type of maps; they are ${mapTypeNames.join(', ')}`);
  const asked = { what: `maps of type ${type}`, since: mapTypeSince[type], config: configs[type] };
  return remembered(`map/${type}`, () =>
    attempt(asked, () => {
      const way = mapTypes[type];
      const made = typeof way === 'function' ? way(type) : make(type, way);
      made?.close();
      return made !== undefined;
    }),
  );
}

const INT: BtfTypeData = { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' };

function make(type: MapType, sizes: Sizes = {}): MapFd {
  return mapCreate({ type, keySize: 4, valueSize: 8, maxEntries: 4, ...sizes });
}

function outer(type: MapType): MapFd {
  using innerMap = make('array');
  return make(type, { valueSize: 4, innerMap });
}

/** Storages want the types of key and value. */
function storage(type: MapType): MapFd {
  using btf = btfLoad(encodeBtf([INT]));
  const types = { btf, btfKeyTypeId: 1, btfValueTypeId: 1 };
  return make(type, { ...types, valueSize: 4, maxEntries: 0, flags: ['no_prealloc'] });
}

/**
 * Of TCP congestion control, the first operations that there were.
 *
 * @returns undefined when this kernel's types have no such operations
 */
export function makeStructOps(type: MapType, flags: MapCreateOptions['flags'] = []): MapFd | undefined {
  const btfVmlinuxValueTypeId = kernelBtf().find('struct', 'bpf_struct_ops_tcp_congestion_ops');
  if (btfVmlinuxValueTypeId === undefined) return undefined;
  const struct = kernelBtf().type(btfVmlinuxValueTypeId);
  using btf = btfLoad(encodeBtf([INT]));
  const valueSize = struct.kind === 'struct' ? struct.size : 0;
  return make(type, { btf, btfVmlinuxValueTypeId, valueSize, maxEntries: 1, flags });
}
