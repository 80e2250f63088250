// qemu and its helpers, unpacked into the cache and run there by the C library that came with them: the
// host needs none of them, and its own versions do not matter.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { downloadAll } from './apt.ts';
import { type Context, run } from './run.ts';
import { type Arch, TRIPLETS } from './series.ts';

/** Those of x64 do all the work of the host; arm64 adds its own qemu, and what its guests run. */
const PACKAGES: Readonly<Record<Arch, readonly string[]>> = {
  x64: ['binutils', 'busybox-static', 'libc6', 'lz4', 'qemu-system-x86', 'seabios', 'util-linux', 'xz-utils', 'zstd'],
  arm64: ['qemu-system-arm', 'busybox-static:arm64', 'libc6:arm64', 'libstdc++6:arm64', 'util-linux:arm64'],
};

const tree = (context: Context, arch: Arch) => `${context.cache}/tools${arch === 'x64' ? '' : `-${arch}`}`;
const stamp = (context: Context, arch: Arch) => `${tree(context, arch)}/packages.json`;

export function haveTools(context: Context, arch: Arch): boolean {
  const path = stamp(context, arch);
  return existsSync(path) && readFileSync(path, 'utf8') === JSON.stringify(PACKAGES[arch]);
}

/** Downloads and unpacks the tools. The package lists must have been read. */
export async function fetchTools(context: Context, arch: Arch): Promise<void> {
  context.say(`fetching qemu and its helpers for ${arch}`);
  const debs = `${context.cache}/tools.debs`;
  const fresh = `${context.cache}/tools.new`;
  await rm(fresh, { recursive: true, force: true });
  await downloadAll(context, PACKAGES[arch], debs);
  for (const deb of readdirSync(debs).filter((name) => name.endsWith('.deb'))) {
    await run(context.signal, 'dpkg', ['-x', `${debs}/${deb}`, fresh]);
  }
  await writeFile(`${fresh}/packages.json`, JSON.stringify(PACKAGES[arch]));
  await rm(tree(context, arch), { recursive: true, force: true });
  await rename(fresh, tree(context, arch));
  await rm(debs, { recursive: true });
}

/** A file of the tree, wherever this Debian release puts it: /bin and /lib moved under /usr over time. */
export function toolPath(context: Context, path: string, arch: Arch = 'x64'): string {
  const home = tree(context, arch);
  const found = [`${home}/usr/${path}`, `${home}/${path}`].find(existsSync);
  if (found === undefined) throw new Error(`the tools in the cache have no ${path}: delete ${home}`);
  return found;
}

/** The command line that runs a tool of the host, from the tree of an architecture. */
export function toolCommand(
  context: Context,
  name: string,
  args: readonly string[],
  arch: Arch = 'x64',
): [string, ...string[]] {
  const libraries = ['usr/lib', 'lib'].map((folder) => `${tree(context, arch)}/${folder}/${TRIPLETS.x64}`);
  const loader = toolPath(context, `lib/${TRIPLETS.x64}/ld-linux-x86-64.so.2`, arch);
  return [loader, '--library-path', libraries.join(':'), toolPath(context, `bin/${name}`, arch), ...args];
}

/** The shared libraries that a program loads, those of its libraries too, as paths in the tree of its architecture. */
export async function sharedLibraries(context: Context, program: string, arch: Arch): Promise<string[]> {
  const found = new Set<string>();
  const add = async (path: string) => {
    const [readelf, ...args] = toolCommand(context, 'readelf', ['--dynamic', '--wide', path]);
    const section = (await run(context.signal, readelf, args)).toString();
    for (const [, name] of section.matchAll(/\(NEEDED\).*\[(.+)\]/g)) {
      const library = toolPath(context, `lib/${TRIPLETS[arch]}/${name}`, arch);
      if (found.has(library)) continue;
      found.add(library);
      await add(library);
    }
  };
  await add(program);
  return [...found];
}

/** Unpacks what a magic number says is packed; anything else is returned as it is. */
export async function decompress(context: Context, packed: Buffer): Promise<Buffer> {
  const magic = packed.subarray(0, 4).toString('hex');
  if (magic.startsWith('1f8b')) return gunzipSync(packed);
  const name = { fd377a58: 'xz', '28b52ffd': 'zstd', '02214c18': 'lz4' }[magic];
  if (name === undefined) return packed;
  const [command, ...args] = toolCommand(context, name, ['-d', '-c', '-q']);
  return run(context.signal, command, args, { input: packed });
}
