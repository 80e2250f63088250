import type { Attr, BpfCmd } from './attr.ts';
import { attrSize } from './attr-size.ts';
import { nameOf } from './check.ts';
import { isPrivileged, kernelAtLeast, readMachine } from './machine.ts';
import { commandSince, mapTypeSince, progTypeSince } from './since.ts';
import { mapTypes, progTypes } from './uapi.gen.ts';

const CAP_SYS_ADMIN = 1n << 21n;
const EPERM = 1;
const ENOENT = 2;
const E2BIG = 7;
const EACCES = 13;
const EBUSY = 16;
const EEXIST = 17;
const EINVAL = 22;

/** One sentence for a failed command, or why this machine cannot do it at all; undefined when the errno says enough. */
export type Hint = string | { readonly unavailable: string } | undefined;

export function hintFor(attr: Attr<BpfCmd>, errno: number): Hint {
  const { command } = attr;
  // CAP_BPF is not enough to reach the objects of others.
  if (errno === EPERM && command.endsWith('_ID') && (readMachine().capabilities & CAP_SYS_ADMIN) === 0n)
    return { unavailable: 'what others have loaded is for CAP_SYS_ADMIN only: run this as root.' };
  if (errno === EINVAL || errno === E2BIG) {
    const since = commandSince[command];
    if (since !== undefined && olderThan(since)) return tooOld(command, since);
  }
  if (errno === E2BIG) {
    const unknown = attr.fieldsFrom(attrSize());
    if (unknown.length > 0)
      return {
        unavailable: `this kernel, Linux ${readMachine().release}, does not know ${unknown.join(', ')}: leave it out, or use a newer one.`,
      };
  }
  return commandHints[command]?.(attr as never, errno);
}

type Hints = { readonly [Command in BpfCmd]?: (attr: Attr<Command>, errno: number) => Hint };

const commandHints: Hints = {
  BPF_MAP_CREATE(attr, errno) {
    const type = nameOf(mapTypes, attr.get('map_type'));
    const since = mapTypeSince[type];
    if (errno === EINVAL && since !== undefined && olderThan(since)) return tooOld(`a map of type ${type}`, since);
    if (errno === EINVAL) return whyNotCreated(attr, type);
    if (errno === E2BIG)
      return `keys, values or the number of entries of this ${type} map are too large for the kernel`;
    return undefined;
  },
  BPF_PROG_LOAD(attr, errno) {
    const type = nameOf(progTypes, attr.get('prog_type'));
    const since = progTypeSince[type];
    if (errno === EINVAL && since !== undefined && olderThan(since)) return tooOld(`a program of type ${type}`, since);
    if (errno === E2BIG) return `the program has ${attr.get('insn_cnt')} instruction slots, more than the kernel takes`;
    return undefined;
  },
  BPF_OBJ_PIN(_, errno) {
    if (errno === EPERM && isPrivileged(readMachine()))
      return 'the path is not on a bpffs, or may not be written: mount one with "mount -t bpf bpf /sys/fs/bpf" and pin there';
    if (errno === ENOENT) return 'the directory of the path does not exist: make it first';
    if (errno === EEXIST) return 'something is pinned at this path already: unlink it first, or take another';
    if (errno === EINVAL) return 'the descriptor is not of a map, a program or a link, or the name holds a dot';
    return undefined;
  },
  BPF_OBJ_GET(_, errno) {
    if (errno === ENOENT) return 'nothing is pinned at this path';
    if (errno === EACCES) return 'what is at this path is not a BPF object, or may not be opened so';
    return undefined;
  },
  BPF_OBJ_GET_INFO_BY_FD: (_, errno) => (errno === EINVAL ? 'the descriptor is not of a BPF object' : undefined),
  BPF_PROG_GET_FD_BY_ID: (attr, errno) => noSuchId('program', attr.get('prog_id'), errno),
  BPF_MAP_GET_FD_BY_ID: (attr, errno) => noSuchId('map', attr.get('map_id'), errno),
  BPF_BTF_GET_FD_BY_ID: (attr, errno) => noSuchId('BTF object', attr.get('btf_id'), errno),
  BPF_LINK_GET_FD_BY_ID: (attr, errno) => noSuchId('link', attr.get('link_id'), errno),
  BPF_MAP_FREEZE(_, errno) {
    if (errno === EBUSY) return 'the map is mapped writable into a process, or frozen already';
    if (errno === EPERM && isPrivileged(readMachine()))
      return 'the map is frozen already, or was opened for reading only';
    return undefined;
  },
  BPF_LINK_CREATE(_, errno) {
    if (errno === EBUSY)
      return 'something else is attached there, the program is attached already, or its function cannot be traced';
    return undefined;
  },
  BPF_RAW_TRACEPOINT_OPEN(attr, errno) {
    if (errno !== ENOENT) return undefined;
    // Without a name, a tracing program is attached to what it was loaded for: its first link takes that away with it.
    return Number(attr.get('name')) === 0
      ? 'the program was attached before and its link is closed: before Linux 5.13 it attaches only once, so load it again'
      : 'this kernel has no tracepoint of this name';
  },
  BPF_LINK_UPDATE(_, errno) {
    if (errno === EPERM) return 'the program that was to be replaced is not the one that is attached';
    if (errno === EINVAL) return 'links of this type cannot be updated, or not with a program of another type';
    return undefined;
  },
  BPF_LINK_DETACH: (_, errno) =>
    errno === 95 ? 'links of this type cannot be detached while they are open: close it' : undefined,
  BPF_PROG_DETACH: (_, errno) => (errno === ENOENT ? 'it is not attached there' : undefined),
};

function noSuchId(what: string, id: number, errno: number): Hint {
  return errno === ENOENT ? `there is no ${what} with id ${id}` : undefined;
}

/** What the types of maps demand, as far as the kernel says only EINVAL. */
function whyNotCreated(attr: Attr<'BPF_MAP_CREATE'>, type: string | number): Hint {
  const [key, value, entries] = [attr.get('key_size'), attr.get('value_size'), attr.get('max_entries')];
  const noPrealloc = (attr.get('map_flags') & 1) === 1;
  const rule = typeof type === 'number' ? undefined : rules[type];
  const broken = rule?.find(([holds]) => !holds({ key, value, entries, noPrealloc, extra: attr.get('map_extra') }));
  if (broken) return `a map of type ${type} wants ${broken[1]}`;
  if (type === 'array_of_maps' || type === 'hash_of_maps')
    return `a map of type ${type} wants as innerMap the descriptor of a map like those that it is to hold, and of none that holds maps`;
  return `this kernel takes no map of type ${type} with keys of ${key} bytes, values of ${value}, ${entries} entries and these flags`;
}

interface Sizes {
  readonly key: number;
  readonly value: number;
  readonly entries: number;
  readonly noPrealloc: boolean;
  readonly extra: number;
}
type Rule = readonly [holds: (sizes: Sizes) => boolean, sentence: string];

const someEntries: Rule = [({ entries }) => entries > 0, 'at least one entry (maxEntries)'];
const noEntries: Rule = [({ entries }) => entries === 0, 'maxEntries 0: it grows with what it is attached to'];
const someKey: Rule = [({ key }) => key > 0, 'keys of at least one byte (keySize)'];
const noKey: Rule = [({ key }) => key === 0, 'no keys: keySize 0'];
const someValue: Rule = [({ value }) => value > 0, 'values of at least one byte (valueSize)'];
const index: Rule = [({ key }) => key === 4, 'keys of 4 bytes (keySize), the index'];
const handle: Rule = [({ value }) => value === 4, 'values of 4 bytes (valueSize), a descriptor'];
const mustNotPrealloc: Rule = [({ noPrealloc }) => noPrealloc, "the flag 'no_prealloc'"];
const ring: readonly Rule[] = [
  [({ key, value }) => key === 0 && value === 0, 'neither keys nor values: keySize 0 and valueSize 0'],
  [
    ({ entries }) => entries >= 4096 && Number.isInteger(Math.log2(entries)),
    'maxEntries, its bytes, to be a power of two and a multiple of the page size',
  ],
];
const hash = [someEntries, someKey, someValue];
const array = [someEntries, index, someValue];
const handles = [someEntries, index, handle];
const storage: readonly Rule[] = [noEntries, index, someValue, mustNotPrealloc];
const queue = [someEntries, noKey, someValue];

/** Each type's, in the order in which they are looked at. */
const rules: Readonly<Record<string, readonly Rule[]>> = {
  hash,
  percpu_hash: hash,
  lru_hash: hash,
  lru_percpu_hash: hash,
  array,
  percpu_array: array,
  prog_array: handles,
  perf_event_array: handles,
  cgroup_array: handles,
  array_of_maps: handles,
  hash_of_maps: [someEntries, someKey, handle],
  lpm_trie: [
    someEntries,
    someValue,
    [({ key }) => key > 4, 'keys of more than 4 bytes: a prefix length and data'],
    mustNotPrealloc,
  ],
  queue,
  stack: queue,
  bloom_filter: queue,
  sk_storage: storage,
  inode_storage: storage,
  task_storage: storage,
  cgrp_storage: storage,
  ringbuf: ring,
  user_ringbuf: ring,
};

function tooOld(what: string, since: string): { readonly unavailable: string } {
  return { unavailable: `${what} needs Linux ${since}, and this is ${readMachine().release}.` };
}

function olderThan(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return !kernelAtLeast(readMachine().release, major, minor);
}
