import { readFileSync } from 'node:fs';
import {
  type Fd,
  type HasFd,
  linkGetFdById,
  linkGetNextId,
  mapGetFdById,
  mapGetNextId,
  objGet,
  progGetFdById,
  progGetNextId,
  SysError,
} from '@bpf/sys';

export type Kind = 'program' | 'map' | 'link';

interface KindOfObject {
  readonly next: (id: number) => number | undefined;
  readonly open: (id: number) => Fd;
}

const kinds: Readonly<Record<Kind, KindOfObject>> = {
  program: { next: progGetNextId, open: progGetFdById },
  map: { next: mapGetNextId, open: mapGetFdById },
  link: { next: linkGetNextId, open: linkGetFdById },
};

/** Every object of a kind, by id. One that goes meanwhile is left out. */
export function* objects(kind: Kind): Generator<Fd> {
  const { next, open } = kinds[kind];
  for (let id = next(0); id !== undefined; id = next(id)) {
    let fd: Fd;
    try {
      fd = open(id);
    } catch (error) {
      // EAGAIN: a link that is only being made.
      if (error instanceof SysError && ['ENOENT', 'EAGAIN'].includes(error.code)) continue;
      throw error;
    }
    try {
      yield fd;
    } finally {
      fd.close();
    }
  }
}

/** Opens what an argument names: an id, the path of a pin, or a name, which must be that of one only. */
export function openObject(kind: Kind, argument: string, nameOf: (fd: HasFd) => string): Fd {
  if (/^\d+$/.test(argument)) return kinds[kind].open(Number(argument));
  if (argument.includes('/')) return objGet(argument);
  const ids: number[] = [];
  const names = new Set<string>();
  for (const fd of objects(kind)) {
    const name = nameOf(fd);
    if (name !== '') names.add(name);
    if (name === argument) ids.push(idOf(fd, kind));
  }
  const [id, other] = ids;
  if (id === undefined) throw new Error(`There is no ${kind} with the name '${argument}'${near(argument, names)}.`);
  if (other !== undefined)
    throw new Error(`${ids.length} ${kind}s have the name '${argument}': say which by id, ${ids.join(', ')}.`);
  return kinds[kind].open(id);
}

function near(argument: string, names: ReadonlySet<string>): string {
  const some = [...names].filter((name) => name.includes(argument) || argument.includes(name)).slice(0, 5);
  return some.length > 0 ? `; there are ${some.join(', ')}` : '';
}

/** What the kernel shows of a descriptor beyond bpf(2): a number from its fdinfo. */
export function fdinfo({ fd }: HasFd, field: string): number | undefined {
  const value = new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  return value === undefined ? undefined : Number(value);
}

const idFields: Readonly<Record<Kind, string>> = { program: 'prog_id', map: 'map_id', link: 'link_id' };
const idOf = (fd: HasFd, kind: Kind): number => fdinfo(fd, idFields[kind]) ?? 0;
