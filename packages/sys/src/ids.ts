import type { BpfCmd } from './attr.ts';
import { openAttr } from './attr.ts';
import { bpfError, call, callOrThrow } from './bpf.ts';
import { Fd } from './fd.ts';
import { MapFd } from './map-fd.ts';
import { withScope } from './memory.ts';

const ENOENT = 2;

/**
 * BPF_PROG_GET_NEXT_ID: the smallest id of a program above this one: start with 0. Needs CAP_SYS_ADMIN. Linux 4.13.
 *
 * @returns undefined when there are no more
 * @throws SysError, UnavailableError
 * @example
 * ```ts
 * for (let id = progGetNextId(0); id !== undefined; id = progGetNextId(id)) console.log(id);
 * ```
 */
export function progGetNextId(id: number): number | undefined {
  return nextId('BPF_PROG_GET_NEXT_ID', id);
}

/** BPF_MAP_GET_NEXT_ID: as {@link progGetNextId}, of maps. Linux 4.13. */
export function mapGetNextId(id: number): number | undefined {
  return nextId('BPF_MAP_GET_NEXT_ID', id);
}

/** BPF_BTF_GET_NEXT_ID: as {@link progGetNextId}, of BTF objects. Linux 5.4. */
export function btfGetNextId(id: number): number | undefined {
  return nextId('BPF_BTF_GET_NEXT_ID', id);
}

/** BPF_LINK_GET_NEXT_ID: as {@link progGetNextId}, of links. Linux 5.8. */
export function linkGetNextId(id: number): number | undefined {
  return nextId('BPF_LINK_GET_NEXT_ID', id);
}

/**
 * BPF_PROG_GET_FD_BY_ID: opens a program that exists, by the id that `bpftool prog` prints. Needs CAP_SYS_ADMIN.
 * Linux 4.13.
 *
 * @throws SysError 'ENOENT' when there is no such program; UnavailableError
 */
export function progGetFdById(id: number): Fd {
  return new Fd(fdById('BPF_PROG_GET_FD_BY_ID', id));
}

/** BPF_MAP_GET_FD_BY_ID: as {@link progGetFdById}, of maps. Linux 4.13. */
export function mapGetFdById(id: number): MapFd {
  return new MapFd(fdById('BPF_MAP_GET_FD_BY_ID', id));
}

/** BPF_BTF_GET_FD_BY_ID: as {@link progGetFdById}, of BTF objects. Linux 4.18. */
export function btfGetFdById(id: number): Fd {
  return new Fd(fdById('BPF_BTF_GET_FD_BY_ID', id));
}

/** BPF_LINK_GET_FD_BY_ID: as {@link progGetFdById}, of links. Closing it does not detach while others hold it. Linux 5.8. */
export function linkGetFdById(id: number): Fd {
  return new Fd(fdById('BPF_LINK_GET_FD_BY_ID', id));
}

function nextId(command: BpfCmd & `${string}_NEXT_ID`, id: number): number | undefined {
  return withScope((scope) => {
    const attr = openAttr(scope, command, { start_id: id });
    const result = call(attr);
    if (result === -ENOENT) return undefined;
    if (result < 0) throw bpfError(attr, -result);
    return attr.get('next_id');
  });
}

function fdById(command: BpfCmd & `${string}_FD_BY_ID`, id: number): number {
  // One field with a name for each kind: BPF_MAP_GET_FD_BY_ID has a map_id.
  const field = `${command.split('_')[1]?.toLowerCase()}_id`;
  return withScope((scope) => callOrThrow(openAttr(scope, command, { [field]: id })));
}
