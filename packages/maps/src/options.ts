import type { AnySchema, Infer, InferInput } from '@bpf/btf/data';
import type { HasFd, MapFlag, MapType } from '@bpf/sys';
import type { ArrayMap } from './array-map.ts';
import type { BpfMap } from './bpf-map.ts';
import type { FdArray, HashOfMaps, IdArray } from './fd-map.ts';
import type { HashMap } from './hash-map.ts';
import type { BloomFilter, Queue } from './queue.ts';
import type { RedirectArray, RedirectHash } from './redirect.ts';
import type { PerfEventArray } from './ring/perf-event-array.ts';
import type { RingBuffer } from './ring/ringbuf.ts';
import type { UserRingBuffer } from './ring/user-ringbuf.ts';
import type { SocketArray, SocketHash } from './socket-map.ts';
import type { StackTraceMap } from './stack-trace-map.ts';
import type { StorageMap } from './storage.ts';

/** Keys by a schema, or as bytes of one length. */
export type KeyPart =
  | { readonly key: AnySchema; readonly keySize?: undefined }
  | { readonly keySize: number; readonly key?: undefined };
/** Values by a schema, or as bytes of one length. */
export type ValuePart =
  | { readonly value: AnySchema; readonly valueSize?: undefined }
  | { readonly valueSize: number; readonly value?: undefined };
interface NoKey {
  readonly key?: undefined;
  readonly keySize?: undefined;
}
interface NoValue {
  readonly value?: undefined;
  readonly valueSize?: undefined;
}

interface Common {
  /** At most 15 of `A-Z a-z 0-9 _ .`. */
  readonly name?: string;
  readonly flags?: readonly MapFlag[];
  /** With the flag `numa_node`. */
  readonly numaNode?: number;
  /** A token for those without privilege, with the flag `token_fd`. Linux 6.9. */
  readonly token?: HasFd;
}
interface Entries {
  readonly maxEntries: number;
}

interface Redirects {
  /** 8 for room for a program beside each: kernels before 5.15 take it for XDP in the driver's mode only. 4 unless told. */
  readonly valueSize?: 4 | 8;
}

type HashType = 'hash' | 'lru_hash' | 'rhash' | 'lpm_trie';
type PerCpuHashType = 'percpu_hash' | 'lru_percpu_hash';
type QueueType = 'queue' | 'stack';
type FdArrayType = 'cgroup_array' | 'xskmap';
type SocketArrayType = 'sockmap' | 'reuseport_sockarray';
type RedirectArrayType = 'devmap' | 'cpumap';
type IdArrayType = 'prog_array' | 'array_of_maps';
type StorageType = 'sk_storage' | 'inode_storage' | 'task_storage' | 'cgrp_storage';

/** What a map is made from: its type decides what else there is to say. Sizes in bytes. */
export type MapOptions = Common &
  (
    | ({ readonly type: HashType | PerCpuHashType } & Entries & KeyPart & ValuePart)
    | ({ readonly type: 'array' | 'percpu_array' } & Entries & NoKey & ValuePart)
    | ({ readonly type: QueueType } & Entries & NoKey & ValuePart)
    | ({
        readonly type: 'bloom_filter';
        /** How often each value is hashed, 5 unless told: fewer wrong answers, slower. */
        readonly hashes?: number;
      } & Entries &
        NoKey &
        ValuePart)
    | ({ readonly type: FdArrayType | SocketArrayType | 'prog_array' } & Entries & NoKey & NoValue)
    | ({
        readonly type: 'perf_event_array';
        /** A place for each possible CPU unless told. */
        readonly maxEntries?: number;
        /** Of a sample; without it samples are bytes. */
        readonly value?: AnySchema;
        /** Pages of data for each CPU, a power of two: 8 unless told. */
        readonly pages?: number;
      } & NoKey)
    | ({
        readonly type: 'array_of_maps';
        /** A map like those that it is to hold. */
        readonly innerMap: HasFd;
      } & Entries &
        NoKey &
        NoValue)
    | ({ readonly type: 'hash_of_maps'; readonly innerMap: HasFd } & Entries & KeyPart & NoValue)
    | ({ readonly type: 'sockhash' } & Entries & KeyPart & NoValue)
    | (Redirects & { readonly type: RedirectArrayType } & Entries & NoKey)
    | (Redirects & { readonly type: 'devmap_hash' } & Entries & KeyPart)
    | ({ readonly type: StorageType; readonly maxEntries?: undefined } & NoKey & ValuePart)
    | ({
        readonly type: 'stack_trace';
        /** Frames of a trace, 127 unless told. */
        readonly depth?: number;
      } & Entries &
        NoKey &
        NoValue)
    | ({
        readonly type: 'ringbuf' | 'user_ringbuf';
        /** A power of two, and a multiple of the page size. */
        readonly bytes: number;
        /** Of an event; without it events are bytes. */
        readonly value?: AnySchema;
      } & NoKey)
    | {
        /** Those that only programs use, and types that this package has no name for, by number. */
        readonly type: 'cgroup_storage' | 'percpu_cgroup_storage' | 'arena' | 'insn_array' | number;
        readonly keySize: number;
        readonly valueSize: number;
        readonly maxEntries: number;
        readonly mapExtra?: number | bigint;
      }
  );

type Decoded<S> = S extends AnySchema ? Infer<S> : Uint8Array;
type Encoded<S> = S extends AnySchema ? InferInput<S> : Uint8Array;
type KeyOf<O> = O extends { readonly key: infer S } ? S : undefined;
type ValueOf<O> = O extends { readonly value: infer S } ? S : undefined;

/** The map of these options. */
export type MapOf<O extends { readonly type: MapType | number }> = O['type'] extends HashType
  ? HashMap<Decoded<KeyOf<O>>, Decoded<ValueOf<O>>, Encoded<KeyOf<O>>, Encoded<ValueOf<O>>>
  : O['type'] extends PerCpuHashType
    ? HashMap<Decoded<KeyOf<O>>, Decoded<ValueOf<O>>[], Encoded<KeyOf<O>>, readonly Encoded<ValueOf<O>>[]>
    : O['type'] extends 'array'
      ? ArrayMap<Decoded<ValueOf<O>>, Encoded<ValueOf<O>>>
      : O['type'] extends 'percpu_array'
        ? ArrayMap<Decoded<ValueOf<O>>[], readonly Encoded<ValueOf<O>>[]>
        : O['type'] extends QueueType
          ? Queue<Decoded<ValueOf<O>>, Encoded<ValueOf<O>>>
          : O['type'] extends 'bloom_filter'
            ? BloomFilter<Encoded<ValueOf<O>>>
            : O['type'] extends IdArrayType
              ? IdArray
              : O['type'] extends FdArrayType
                ? FdArray
                : O['type'] extends SocketArrayType
                  ? SocketArray
                  : O['type'] extends RedirectArrayType
                    ? RedirectArray
                    : O['type'] extends 'hash_of_maps'
                      ? HashOfMaps<Decoded<KeyOf<O>>, Encoded<KeyOf<O>>>
                      : O['type'] extends 'sockhash'
                        ? SocketHash<Decoded<KeyOf<O>>, Encoded<KeyOf<O>>>
                        : O['type'] extends 'devmap_hash'
                          ? RedirectHash<Decoded<KeyOf<O>>, Encoded<KeyOf<O>>>
                          : O['type'] extends StorageType
                            ? StorageMap<Decoded<ValueOf<O>>, Encoded<ValueOf<O>>>
                            : O['type'] extends 'stack_trace'
                              ? StackTraceMap
                              : O['type'] extends 'ringbuf'
                                ? RingBuffer<Decoded<ValueOf<O>>>
                                : O['type'] extends 'user_ringbuf'
                                  ? UserRingBuffer<Encoded<ValueOf<O>>>
                                  : O['type'] extends 'perf_event_array'
                                    ? PerfEventArray<Decoded<ValueOf<O>>>
                                    : BpfMap;
