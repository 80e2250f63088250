// The parts of a guest's initrd that do not depend on its kernel.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { characterDevice, type Entry, file, readFolder, writeCpio } from './cpio.ts';
import { type Context, run } from './run.ts';
import { sharedLibraries, toolCommand, toolPath } from './tools.ts';

/** The C library's fixed place on x86-64 Linux. */
const LOADER = '/lib64/ld-linux-x86-64.so.2';

/** The archive with busybox, setpriv and node, made once for each node; returns its path. */
export async function baseInitrd(context: Context, node: string): Promise<string> {
  const path = realpathSync(node);
  const { size, mtimeMs } = statSync(path);
  const key = createHash('sha256').update(`2 ${path} ${size} ${mtimeMs}`).digest('hex').slice(0, 12);
  const archive = `${context.cache}/base-${key}.cpio`;
  if (existsSync(archive)) return archive;

  const stripped = `${context.cache}/node-${process.pid}`;
  const [strip, ...args] = toolCommand(context, 'strip', '-o', stripped, path);
  await run(context.signal, strip, args);
  const entries: Entry[] = [
    characterDevice('dev/console', 5, 1),
    file('bin/busybox', readFileSync(toolPath(context, 'bin/busybox')), 0o755),
    file('bin/node', readFileSync(stripped), 0o755),
  ];
  // node's libraries lie where the host has them; those of setpriv, from another system, apart.
  for (const library of await sharedLibraries(context, [LOADER, path])) {
    entries.push(file(library.slice(1), readFileSync(library), 0o755));
  }
  const setpriv = toolCommand(context, 'setpriv');
  for (const library of await sharedLibraries(context, setpriv)) {
    const name = library.includes('/ld-linux') ? 'ld.so' : (library.split('/').at(-1) ?? '');
    entries.push(file(`setpriv/${name}`, readFileSync(library), 0o755));
  }
  entries.push(file('setpriv/setpriv', readFileSync(toolPath(context, 'bin/setpriv')), 0o755));

  await rm(stripped);
  await writeFile(`${archive}.${process.pid}`, writeCpio(entries));
  await rename(`${archive}.${process.pid}`, archive);
  return archive;
}

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
