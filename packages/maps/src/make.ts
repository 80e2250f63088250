import type { AnySchema, Schema } from '@bpf/btf/data';
import { type MapFd, possibleCpus } from '@bpf/sys';
import { ArrayMap } from './array-map.ts';
import { BpfMap } from './bpf-map.ts';
import { codecOf, perCpuCodec } from './codec.ts';
import { FdArray, HashOfMaps, IdArray } from './fd-map.ts';
import { HashMap } from './hash-map.ts';
import { BloomFilter, Queue } from './queue.ts';
import { RedirectArray, RedirectHash } from './redirect.ts';
import { RingBuffer } from './ring/ringbuf.ts';
import { UserRingBuffer } from './ring/user-ringbuf.ts';
import { SocketArray, SocketHash } from './socket-map.ts';
import { StackTraceMap } from './stack-trace-map.ts';
import { StorageMap } from './storage.ts';

export interface Schemas {
  readonly key?: AnySchema | undefined;
  readonly value?: AnySchema | undefined;
}

/** The object for a map, by its type: what operations it has. */
export function makeMap(map: MapFd, schemas: Schemas): BpfMap {
  const { type, keySize, valueSize } = map.info;
  const key = codecOf(schemas.key, keySize, 'key');
  const value = codecOf(schemas.value, valueSize, 'value');
  switch (type) {
    case 'hash':
    case 'lru_hash':
    case 'rhash':
    case 'lpm_trie':
      return new HashMap(map, key, value);
    case 'percpu_hash':
    case 'lru_percpu_hash':
      return new HashMap(map, key, perCpuCodec(value, possibleCpus()));
    case 'array':
      return new ArrayMap(map, value);
    case 'percpu_array':
      return new ArrayMap(map, perCpuCodec(value, possibleCpus()));
    case 'queue':
    case 'stack':
      return new Queue(map, value);
    case 'bloom_filter':
      return new BloomFilter(map, value);
    case 'prog_array':
    case 'array_of_maps':
      return new IdArray(map);
    case 'perf_event_array':
    case 'cgroup_array':
    case 'xskmap':
      return new FdArray(map);
    case 'sockmap':
    case 'reuseport_sockarray':
      return new SocketArray(map);
    case 'devmap':
    case 'cpumap':
      return new RedirectArray(map);
    case 'hash_of_maps':
      return new HashOfMaps(map, key);
    case 'sockhash':
      return new SocketHash(map, key);
    case 'devmap_hash':
      return new RedirectHash(map, key);
    case 'sk_storage':
    case 'inode_storage':
    case 'task_storage':
    case 'cgrp_storage':
      return new StorageMap(map, value);
    case 'stack_trace':
      return new StackTraceMap(map);
    case 'ringbuf':
      return new RingBuffer(map, schemas.value as Schema<unknown> | undefined);
    case 'user_ringbuf':
      return new UserRingBuffer(map, schemas.value as Schema<unknown> | undefined) as BpfMap;
    default:
      return new BpfMap(map);
  }
}
