// The kernel unpacks an initrd of concatenated "newc" cpio archives. This writes one.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';

export interface Entry {
  /** The path in the guest, without a leading slash. */
  readonly path: string;
  /** File type and permission bits, as in stat(2). */
  readonly mode: number;
  /** A file's content or a symlink's target. */
  readonly data?: Uint8Array;
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number];
}

export const file = (path: string, data: Uint8Array | string, mode = 0o644): Entry => ({
  path,
  mode: 0o100000 | mode,
  data: Buffer.from(data),
});
const folder = (path: string): Entry => ({ path, mode: 0o040755 });
const symlink = (path: string, target: string): Entry => ({
  path,
  mode: 0o120777,
  data: Buffer.from(target),
});
export const characterDevice = (path: string, major: number, minor: number): Entry => ({
  path,
  mode: 0o020600,
  device: [major, minor],
});

/** Writes the archive, with the folders that the entries lie in before them. */
export function writeCpio(entries: readonly Entry[]): Buffer {
  const chunks: Uint8Array[] = [];
  const seen = new Set<string>();
  let inode = 1;
  const add = (entry: Entry) => {
    const parent = entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')));
    if (parent !== '' && !seen.has(parent)) add(folder(parent));
    if (seen.has(entry.path)) return;
    seen.add(entry.path);
    chunks.push(...record(entry, inode++));
  };
  for (const entry of entries) add(entry);
  chunks.push(...record({ path: 'TRAILER!!!', mode: 0 }, 0));
  return Buffer.concat(chunks);
}

function record({ path, mode, data = new Uint8Array(), device = [0, 0] }: Entry, inode: number): Uint8Array[] {
  const name = Buffer.from(`${path}\0`);
  // inode, mode, uid, gid, links, mtime, size, two numbers of the file's device, two of its own, name, check
  const fields = [inode, mode, 0, 0, 1, 0, data.length, 0, 0, ...device, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [header, name, padding(header.length + name.length), data, padding(data.length)];
}

function padding(length: number): Uint8Array {
  return new Uint8Array(-length & 3);
}

/**
 * Everything in a folder of the host, to lie at `to` in the guest, readable by all. A symlink that leads
 * out of the folder (package managers make them) becomes what it leads to.
 */
export function readFolder(from: string, to: string): Entry[] {
  const top = `${realpathSync(from)}/`;
  const read = (host: string, guest: string): Entry[] => {
    if (lstatSync(host).isSymbolicLink()) {
      const target = readlinkSync(host);
      const dangling = !existsSync(host);
      const inside = dangling || (realpathSync(host).startsWith(top) && !target.startsWith('/'));
      if (inside) return [symlink(guest, target)];
    }
    const stat = statSync(host);
    if (!stat.isDirectory()) return [file(guest, readFileSync(host), stat.mode & 0o111 ? 0o755 : 0o644)];
    const inner = readdirSync(host).flatMap((name) => read(`${host}/${name}`, `${guest}/${name}`));
    return [folder(guest), ...inner];
  };
  return read(from, to);
}
