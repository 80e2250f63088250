import { readdirSync } from 'node:fs';
import {
  btfGetInfo,
  type FdKind,
  fdKind,
  findMounts,
  type HasFd,
  linkGetInfo,
  mapGetInfo,
  objGet,
  progGetInfo,
  SysError,
} from '@bpf/sys';

/** Something that is pinned. */
export interface Pin {
  readonly path: string;
  readonly kind: FdKind;
  readonly id: number;
}

const infos = { prog: progGetInfo, map: mapGetInfo, link: linkGetInfo, btf: btfGetInfo } as const;

/**
 * What is pinned, on a bpffs or below a folder of one: every bpffs that this process sees unless said otherwise. What it may
 * not open, and what is no object, is left out. Linux 4.4.
 *
 * @example
 * ```ts
 * for (const { path, kind, id } of pins('/sys/fs/bpf/my-app')) console.log(path, kind, id);
 * ```
 */
export function* pins(folder?: string): Generator<Pin> {
  const folders = folder === undefined ? bpffs() : [folder];
  for (const from of folders) yield* below(from);
}

/** Each bpffs once, however often it is mounted at the same place. */
function bpffs(): string[] {
  return [...new Set(findMounts().flatMap(({ type, path }) => (type === 'bpf' ? [path] : [])))];
}

function* below(folder: string): Generator<Pin> {
  let entries: { readonly name: string; isDirectory(): boolean }[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      yield* below(path);
      continue;
    }
    const pin = pinAt(path);
    if (pin) yield pin;
  }
}

function pinAt(path: string): Pin | undefined {
  try {
    using object: HasFd & Disposable = objGet(path);
    const kind = fdKind({ fd: object.fd }, 'self');
    return kind && { path, kind, id: infos[kind](object).id };
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/** @internal */
export function findPins(kind: FdKind, id: number): string[] {
  return [...pins()].flatMap((pin) => (pin.kind === kind && pin.id === id ? [pin.path] : []));
}
