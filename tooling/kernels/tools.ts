// qemu and its helpers, unpacked into the cache and run there by the C library that came with them: the
// host needs none of them, and its own versions do not matter.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { downloadAll } from './apt.ts';
import { type Context, run } from './run.ts';

const PACKAGES = [
  'binutils',
  'busybox-static',
  'libc6',
  'lz4',
  'qemu-system-x86',
  'seabios',
  'util-linux',
  'xz-utils',
  'zstd',
];

const tree = (context: Context) => `${context.cache}/tools`;
const stamp = (context: Context) => `${tree(context)}/packages.json`;

export function haveTools(context: Context): boolean {
  return existsSync(stamp(context)) && readFileSync(stamp(context), 'utf8') === JSON.stringify(PACKAGES);
}

/** Downloads and unpacks the tools. The package lists must have been read. */
export async function fetchTools(context: Context): Promise<void> {
  const debs = `${context.cache}/tools.debs`;
  const fresh = `${context.cache}/tools.new`;
  await rm(fresh, { recursive: true, force: true });
  await downloadAll(context, PACKAGES, debs);
  for (const deb of readdirSync(debs).filter((name) => name.endsWith('.deb'))) {
    await run(context.signal, 'dpkg', ['-x', `${debs}/${deb}`, fresh]);
  }
  await writeFile(`${fresh}/packages.json`, JSON.stringify(PACKAGES));
  await rm(tree(context), { recursive: true, force: true });
  await rename(fresh, tree(context));
  await rm(debs, { recursive: true });
}

/** A file of the tree, wherever this Debian release puts it: /bin and /lib moved under /usr over time. */
export function toolPath(context: Context, path: string): string {
  const found = [`${tree(context)}/usr/${path}`, `${tree(context)}/${path}`].find(existsSync);
  if (found === undefined) throw new Error(`the tools in the cache have no ${path}: delete ${tree(context)}`);
  return found;
}

/** The command line that runs a tool. */
export function toolCommand(context: Context, name: string, ...args: string[]): [string, ...string[]] {
  const libraries = ['usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu'].map((dir) => `${tree(context)}/${dir}`);
  const loader = toolPath(context, 'lib/x86_64-linux-gnu/ld-linux-x86-64.so.2');
  return [loader, '--library-path', libraries.join(':'), toolPath(context, `bin/${name}`), ...args];
}

/** The shared libraries that a program loads, as absolute paths, the loader itself last. */
export async function sharedLibraries(context: Context, command: readonly string[]): Promise<string[]> {
  const [loader = '', ...rest] = command;
  const list = (await run(context.signal, loader, ['--list', ...rest])).toString();
  const paths = [...list.matchAll(/=> (\/\S+)/g)].map((match) => match[1] ?? '');
  return [...paths.filter((path) => path !== loader), loader];
}

/** Unpacks what a magic number says is packed; anything else is returned as it is. */
export async function decompress(context: Context, packed: Buffer): Promise<Buffer> {
  const magic = packed.subarray(0, 4).toString('hex');
  if (magic.startsWith('1f8b')) return gunzipSync(packed);
  const name = { fd377a58: 'xz', '28b52ffd': 'zstd', '02214c18': 'lz4' }[magic];
  if (name === undefined) return packed;
  const [command, ...args] = toolCommand(context, name, '-d', '-c', '-q');
  return run(context.signal, command, args, { input: packed });
}
