import { readlinkSync } from 'node:fs';
import type { HasFd } from './fd.ts';

/** What a descriptor of bpf(2) can be. */
export type FdKind = 'map' | 'prog' | 'link' | 'btf';

/** What /proc calls them: newer kernels write no brackets; links have two names, by the command that opened them. */
const kinds: Readonly<Record<string, FdKind>> = {
  'bpf-map': 'map',
  'bpf-prog': 'prog',
  bpf_link: 'link',
  'bpf-link': 'link',
  btf: 'btf',
};

/**
 * What kind of BPF object a descriptor is of, of this process or of another; undefined when it is of none or gone, or when
 * there is no /proc to ask.
 */
export function fdKind({ fd }: HasFd, pid: number | 'self' = 'self'): FdKind | undefined {
  try {
    const [, name = ''] = readlinkSync(`/proc/${pid}/fd/${fd}`).match(/^anon_inode:\[?([^\]]+)\]?$/) ?? [];
    return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Refuses a descriptor of another kind of object: BPF_OBJ_GET_INFO_BY_FD would fill in that kind's structure.
 *
 * @throws TypeError
 */
export function requireKind(object: HasFd, kind: FdKind): void {
  const found = fdKind(object);
  if (found === undefined || found === kind) return;
  throw new TypeError(`descriptor ${object.fd} is a ${found}, not a ${kind}`);
}
