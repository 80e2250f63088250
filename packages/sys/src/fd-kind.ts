import { readlinkSync } from 'node:fs';
import type { HasFd } from './fd.ts';

/** What a descriptor of bpf(2) can be, as /proc names it. */
const kinds = { 'bpf-map': 'map', 'bpf-prog': 'prog', bpf_link: 'link', btf: 'btf' } as const;
export type FdKind = (typeof kinds)[keyof typeof kinds];

/** What kind of BPF object a descriptor is of; undefined when it is of none, or when there is no /proc to ask. */
export function fdKind({ fd }: HasFd): FdKind | undefined {
  try {
    const name = readlinkSync(`/proc/self/fd/${fd}`)
      .replace(/^anon_inode:\[?/, '')
      .replace(/\]$/, '');
    return kinds[name as keyof typeof kinds];
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
