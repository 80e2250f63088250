import {
  type BtfInfo,
  btfGetFdById,
  btfGetInfo,
  btfGetNextId,
  type Fd,
  type HasFd,
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
  return eachObject('program', progGetInfo);
}

/** Every map, as {@link programs}. Linux 4.13. */
export function maps(): Generator<MapInfo> {
  return eachObject('map', mapGetInfo);
}

/** Every link, as {@link programs}. Linux 5.8. */
export function links(): Generator<LinkInfo> {
  return eachObject('link', linkGetInfo);
}

/** The types of programs and maps, and of the kernel itself and its modules since 5.11, as {@link programs}. Linux 5.4. */
export function btfs(): Generator<BtfInfo> {
  return eachObject('btf', btfGetInfo);
}

/** What has an id. */
export type ObjectKind = 'program' | 'map' | 'link' | 'btf';

const kinds: Readonly<
  Record<ObjectKind, { readonly next: (id: number) => number | undefined; readonly open: (id: number) => Fd }>
> = {
  program: { next: progGetNextId, open: progGetFdById },
  map: { next: mapGetNextId, open: mapGetFdById },
  link: { next: linkGetNextId, open: linkGetFdById },
  btf: { next: btfGetNextId, open: btfGetFdById },
};

/**
 * Opens every object of a kind, in the order of their ids, and hands out what `read` makes of it: for what {@link programs},
 * {@link maps} and {@link links} do not tell. An object is open while it is read only, and those that go away meanwhile are
 * left out. Needs CAP_SYS_ADMIN. Linux 4.13; links 5.8, BTF 5.4.
 *
 * @throws SysError, UnavailableError, and what `read` throws
 * @example
 * ```ts
 * const jits = [...eachObject('program', (program) => progGetJited(program).length)];
 * ```
 */
export function* eachObject<T>(kind: ObjectKind, read: (object: HasFd) => T): Generator<T> {
  const { next, open } = kinds[kind];
  for (let id = next(0); id !== undefined; id = next(id)) {
    const object = openUnlessGone(open, id);
    if (object === undefined) continue;
    let result: T;
    try {
      result = read(object);
    } finally {
      object.close();
    }
    yield result;
  }
}

/** Between its id and its descriptor, an object may go. */
function openUnlessGone(open: (id: number) => Fd, id: number): Fd | undefined {
  try {
    return open(id);
  } catch (error) {
    // EAGAIN: a link that is only being made.
    if (error instanceof SysError && ['ENOENT', 'EAGAIN'].includes(error.code)) return undefined;
    throw error;
  }
}
