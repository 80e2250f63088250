import { readdirSync, readFileSync } from 'node:fs';
import { type FdKind, fdKind } from '@bpf/sys';
import { findPins } from './pins.ts';

/** A process with descriptors of an object. */
export interface HoldingProcess {
  readonly pid: number;
  /** As `ps` shows it. */
  readonly comm: string;
  readonly fds: readonly number[];
}

/** Who holds an object, as far as this process may see. */
export interface Holders {
  readonly processes: readonly HoldingProcess[];
  /** Paths at which it is pinned: only looked for when asked. */
  readonly pins: readonly string[];
  /** How many processes did not let their descriptors be seen: 0 for root. */
  readonly hiddenProcesses: number;
}

const idFields = { prog: 'prog_id', map: 'map_id', link: 'link_id', btf: 'btf_id' } as const;

/**
 * Who keeps an object alive with a descriptor or a pin: besides them, links hold their programs, programs their maps, and
 * maps of maps what is in them. Descriptors are found in /proc/PID/fd and fdinfo: of this user's processes, and as root of
 * all that are in this pid namespace. Linux 4.13, links 5.8, BTF 4.18.
 *
 * @param options.pins looks at what is pinned too, by opening all of it: every bpffs that this process sees
 * @example
 * ```ts
 * const { processes, pins } = holders('map', map.info.id, { pins: true });
 * ```
 */
export function holders(kind: FdKind, id: number, options: { readonly pins?: boolean } = {}): Holders {
  if (!Object.hasOwn(idFields, kind))
    throw new RangeError(`'${kind}' is not one of ${Object.keys(idFields).join(', ')}`);
  const found = pids().map((pid) => ({ pid, fds: fdsOf(pid, kind, id) }));
  return {
    processes: found.flatMap(({ pid, fds }) => (fds?.length ? [{ pid, comm: commOf(pid), fds }] : [])),
    pins: options.pins ? findPins(kind, id) : [],
    hiddenProcesses: found.filter(({ fds }) => fds === undefined).length,
  };
}

function pids(): number[] {
  return (tried(() => readdirSync('/proc')) ?? []).map(Number).filter(Number.isInteger);
}

/** Undefined when they may not be seen; a process that has ended has none. */
function fdsOf(pid: number, kind: FdKind, id: number): number[] | undefined {
  let fds: string[];
  try {
    fds = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : [];
  }
  const field = new RegExp(`^${idFields[kind]}:\\s*${id}$`, 'm');
  // Reading a link is cheap, and few descriptors are of BPF.
  const isHeld = (fd: number): boolean =>
    fdKind({ fd: fd }, pid) === kind &&
    field.test(tried(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1')) ?? '');
  return fds.map(Number).filter(isHeld);
}

function commOf(pid: number): string {
  return tried(() => readFileSync(`/proc/${pid}/comm`, 'utf8').replace(/\n$/, '')) ?? '';
}

/** What is of another process may go at any time. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
