import {
  type BtfInfo,
  btfGetFdById,
  btfGetInfo,
  btfGetNextId,
  type Fd,
  type LinkInfo,
  linkGetFdById,
  linkGetInfo,
  linkGetNextId,
  type MapInfo,
  mapGetFdById,
  mapGetInfo,
  mapGetNextId,
  type ProgInfo,
  progGetFdById,
  progGetInfo,
  progGetNextId,
  SysError,
} from '@bpf/sys';

/**
 * Every program that is loaded, as `bpftool prog` lists them, in the order of their ids. Those that go away meanwhile are
 * left out. Needs CAP_SYS_ADMIN. Linux 4.13.
 *
 * @throws SysError, UnavailableError
 * @example
 * ```ts
 * for (const { id, type, name } of programs()) console.log(id, type, name);
 * ```
 */
export function programs(): Generator<ProgInfo> {
  return each(progGetNextId, progGetFdById, progGetInfo);
}

/** Every map, as {@link programs}. Linux 4.13. */
export function maps(): Generator<MapInfo> {
  return each(mapGetNextId, mapGetFdById, mapGetInfo);
}

/** Every link, as {@link programs}. Linux 5.8. */
export function links(): Generator<LinkInfo> {
  return each(linkGetNextId, linkGetFdById, linkGetInfo);
}

/** The types of programs and maps, and of the kernel itself and its modules since 5.11, as {@link programs}. Linux 5.4. */
export function btfs(): Generator<BtfInfo> {
  return each(btfGetNextId, btfGetFdById, btfGetInfo);
}

function* each<Info>(
  next: (id: number) => number | undefined,
  open: (id: number) => Fd,
  info: (object: Fd) => Info,
): Generator<Info> {
  for (let id = next(0); id !== undefined; id = next(id)) {
    const facts = infoOf(open, id, info);
    if (facts !== undefined) yield facts;
  }
}

/** Between its id and its descriptor, an object may go. Nothing is open while the caller has the facts. */
function infoOf<Info>(open: (id: number) => Fd, id: number, info: (object: Fd) => Info): Info | undefined {
  let object: Fd;
  try {
    object = open(id);
  } catch (error) {
    // EAGAIN: a link that is only being made.
    if (error instanceof SysError && ['ENOENT', 'EAGAIN'].includes(error.code)) return undefined;
    throw error;
  }
  try {
    return info(object);
  } finally {
    object.close();
  }
}
