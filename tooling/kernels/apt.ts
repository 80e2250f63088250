// apt with its own configuration, lists and cache: the host's are only read, and nothing is installed.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { type Context, run, tryRun } from './run.ts';
import { formatSources, kernelSources, readSources } from './sources.ts';

export interface Candidate {
  readonly name: string;
  readonly version: string;
}

/** Settings of the machine that are about reaching the mirror, not about what apt does with packages. */
const KEPT_SETTING = /^Acquire::(http|https|ftp|tor|Retries|ForceIPv[46])\b/;

/**
 * Reads the package lists of every suite. Returns apt's complaints, one a line: a suite that is gone must
 * not keep the others away. Throws when the machine knows no Debian archive to ask.
 */
export async function updateLists(context: Context): Promise<string[]> {
  const complaints = await update(context, ['amd64', 'arm64']);
  // A mirror may lack an architecture that the archive has: apt then gives up the whole suite.
  if (!complaints.some((line) => line.includes('binary-arm64'))) return complaints;
  return [...complaints, ...(await update(context, ['amd64']))];
}

async function update(context: Context, architectures: readonly string[]): Promise<string[]> {
  await configure(context, architectures);
  const { stderr } = await tryRun(context.signal, 'apt-get', ['update', '-q'], { env: environment(context) });
  return stderr.split('\n').filter((line) => /^[EW]: /.test(line) && !line.includes('Some index files'));
}

/** Every version of every package whose name starts with `prefix` and matches `pattern`. */
export async function findCandidates(context: Context, prefix: string, pattern: RegExp): Promise<Candidate[]> {
  const names = (await aptCache(context, 'pkgnames', prefix)).split('\n').filter((name) => pattern.test(name));
  if (names.length === 0) return [];
  const table = await aptCache(context, 'madison', ...names);
  return table.split('\n').flatMap((line) => {
    const [name = '', version = ''] = line.split('|').map((cell) => cell.trim());
    return name === '' ? [] : [{ name, version }];
  });
}

/** The names in a package's Depends, alternatives included; undefined when there is no such package. */
export async function dependencies(context: Context, name: string): Promise<string[] | undefined> {
  // The exit code does not tell: a package that others only name is known to apt, and has no record.
  const show = await tryRun(context.signal, 'apt-cache', ['show', name], { env: environment(context) });
  if (show.stdout.length === 0) return undefined;
  const depends = /^Depends: (.*)$/m.exec(show.stdout.toString())?.[1] ?? '';
  return depends.split(/[,|]/).flatMap((item) => item.trim().split(' ').slice(0, 1));
}

/** Downloads exactly these packages into a folder. */
export async function download(context: Context, packages: readonly string[], folder: string): Promise<void> {
  const options = { cwd: folder, env: environment(context) };
  await run(context.signal, 'apt-get', ['download', '-q', ...packages], options);
}

/** Downloads these packages with everything they depend on, down to the C library, into a folder. */
export async function downloadAll(context: Context, packages: readonly string[], folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(`${folder}/partial`, { recursive: true });
  const place = ['-o', `Dir::Cache::archives=${folder}`];
  const how = ['-q', '-y', '--download-only', '--no-install-recommends'];
  const options = { env: environment(context) };
  await run(context.signal, 'apt-get', ['install', ...how, ...place, ...packages], options);
}

async function aptCache(context: Context, ...args: string[]): Promise<string> {
  return (await run(context.signal, 'apt-cache', args, { env: environment(context) })).toString();
}

function environment(context: Context): NodeJS.ProcessEnv {
  return { ...process.env, APT_CONFIG: `${context.cache}/apt/apt.conf`, LC_ALL: 'C' };
}

/** Hooks and pins of the host stay out of it; its proxies and certificates come along. */
async function configure(context: Context, architectures: readonly string[]): Promise<void> {
  const home = `${context.cache}/apt`;
  const dump = (await run(context.signal, 'apt-config', ['dump'])).toString();
  const config = [
    'Dir::Etc::main "/dev/null";',
    'Dir::Etc::parts "/dev/null";',
    'Dir::Etc::preferences "/dev/null";',
    'Dir::Etc::preferencesparts "/dev/null";',
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${home}/sources";`,
    `Dir::State::lists "${home}/lists";`,
    // No package counts as installed, so that what is downloaded is complete whatever the host has.
    `Dir::State::status "${home}/status";`,
    `Dir::Cache "${home}";`,
    'Dir::Cache::srcpkgcache "";',
    'APT::Architecture "amd64";',
    `APT::Architectures { ${architectures.map((name) => `"${name}"; `).join('')}};`,
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    // An archive out of reach should not take minutes to find out; the machine's own settings come last.
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    // Four times smaller on disk.
    'Acquire::GzipIndexes "true";',
    ...dump.split('\n').filter((line) => KEPT_SETTING.test(line)),
  ];
  await mkdir(`${home}/sources`, { recursive: true });
  await mkdir(`${home}/lists/partial`, { recursive: true });
  await writeFile(`${home}/status`, '');
  await writeFile(`${home}/sources/kernels.sources`, formatSources(kernelSources(readSources())));
  await writeFile(`${home}/apt.conf`, `${config.join('\n')}\n`);
}
