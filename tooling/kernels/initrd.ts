// The parts of a guest's initrd that do not depend on its kernel.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { nodePackage } from '../node-package.ts';
import { characterDevice, type Entry, file, readFolder, writeCpio } from './cpio.ts';
import { type Context, run } from './run.ts';
import type { Arch } from './series.ts';
import { sharedLibraries, toolCommand, toolPath } from './tools.ts';

/** Says which version of it the job has with it, for this machine's architecture. */
const KOFFI = new URL('../../node_modules/koffi/package.json', import.meta.url);

/** The C library's fixed place on x86-64 Linux. */
const LOADER = '/lib64/ld-linux-x86-64.so.2';

/** The archive with busybox, setpriv and node, made once for each node and architecture; returns its path. */
export async function baseInitrd(context: Context, arch: Arch, node: string): Promise<string> {
  const path = realpathSync(node);
  const { size, mtimeMs } = statSync(path);
  const koffi = JSON.parse(readFileSync(KOFFI, 'utf8')).version as string;
  const key = createHash('sha256').update(`4 ${arch} ${path} ${size} ${mtimeMs} ${koffi}`).digest('hex').slice(0, 12);
  const archive = `${context.cache}/base-${key}.cpio`;
  if (existsSync(archive)) return archive;

  const setpriv = toolPath(context, 'bin/setpriv', arch);
  const entries: Entry[] = [
    characterDevice('dev/console', 5, 1),
    program('bin/busybox', toolPath(context, 'bin/busybox', arch)),
    ...(arch === 'x64' ? await hostNode(context, path) : await packagedNode(context, arch, path, koffi)),
    program('setpriv/setpriv', setpriv),
  ];
  // Apart from those of node, which come from another system.
  for (const library of await sharedLibraries(context, setpriv, arch)) {
    entries.push(program(`setpriv/${library.includes('/ld-linux') ? 'ld.so' : basename(library)}`, library));
  }
  await writeFile(`${archive}.${process.pid}`, writeCpio(entries));
  await rename(`${archive}.${process.pid}`, archive);
  return archive;
}

/** The host's node, with its libraries where the host has them. */
async function hostNode(context: Context, node: string): Promise<Entry[]> {
  const stripped = `${context.cache}/node-${process.pid}`;
  const [strip, ...args] = toolCommand(context, 'strip', ['-o', stripped, node]);
  await run(context.signal, strip, args);
  const list = (await run(context.signal, LOADER, ['--list', node])).toString();
  const libraries = [...list.matchAll(/=> (\/\S+)/g)].map(([, library = '']) => library);
  const places = new Set([...libraries, LOADER]);
  const entries = [program('bin/node', stripped), ...[...places].map((place) => program(place.slice(1), place))];
  await rm(stripped);
  return entries;
}

/** The same version for another architecture, from npm, with libraries of Debian, and the native half of koffi. */
async function packagedNode(context: Context, arch: Arch, node: string, koffi: string): Promise<Entry[]> {
  const version = (await run(context.signal, node, ['--version'])).toString().trim().slice(1);
  context.say(`fetching Node ${version} for ${arch}`);
  const folder = `${context.cache}/runs/${process.pid}-node`;
  const { args, bin } = nodePackage(folder, version, arch);
  try {
    await mkdir(folder, { recursive: true });
    const native = `@koromix/koffi-linux-${arch}`;
    await run(context.signal, 'npm', [...args, `${native}@${koffi}`]);
    const libraries = await sharedLibraries(context, `${bin}/node`, arch);
    return [
      program('bin/node', `${bin}/node`),
      ...libraries.map((path) => program(`lib/${basename(path)}`, path)),
      ...readFolder(`${folder}/node_modules/${native}`, `job/node_modules/${native}`),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const program = (path: string, host: string): Entry => file(path, readFileSync(host), 0o755);

/** The archive of a job folder, with the guest's init. */
export function jobInitrd(folder: string): Buffer {
  if (!existsSync(`${folder}/kernel-tests.mjs`)) throw new Error(`${folder} holds no kernel-tests.mjs`);
  const init = readFileSync(new URL('init.sh', import.meta.url));
  return writeCpio([file('init', init, 0o755), ...readFolder(folder, 'job')]);
}

/** What differs between guests: who to run as, and the environment. */
export function runInitrd(profiles: readonly string[], environment: Readonly<Record<string, string>>): Buffer {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return writeCpio([file('run.env', `PROFILES=${quote(profiles.join(' '))}\n${lines.join('')}`)]);
}
