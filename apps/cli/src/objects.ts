import { readFileSync } from 'node:fs';
import { eachObject } from '@bpf/programs';
import { type Fd, type HasFd, linkGetFdById, mapGetFdById, objGet, progGetFdById } from '@bpf/sys';

export type Kind = 'program' | 'map' | 'link';

const openById: Readonly<Record<Kind, (id: number) => Fd>> = {
  program: progGetFdById,
  map: mapGetFdById,
  link: linkGetFdById,
};

/** Opens what an argument names: an id, the path of a pin, or a name, which must be that of one only. */
export function openObject(kind: Kind, argument: string, nameOf: (fd: HasFd) => string): Fd {
  if (/^\d+$/.test(argument)) return openById[kind](Number(argument));
  if (argument.includes('/')) return objGet(argument);
  const ids: number[] = [];
  const names = new Set<string>();
  for (const { id, name } of eachObject(kind, (fd) => ({ id: idOf(fd, kind), name: nameOf(fd) }))) {
    if (name !== '') names.add(name);
    if (name === argument) ids.push(id);
  }
  const [id, other] = ids;
  if (id === undefined) throw new Error(`There is no ${kind} with the name '${argument}'${near(argument, names)}.`);
  if (other !== undefined)
    throw new Error(`${ids.length} ${kind}s have the name '${argument}': say which by id, ${ids.join(', ')}.`);
  return openById[kind](id);
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
