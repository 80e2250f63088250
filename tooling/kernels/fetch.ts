// Which kernels there are, and getting them: at most one look at the archive a day, none when told nothing.
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { type Candidate, dependencies, download, findCandidates, updateLists } from './apt.ts';
import { buildKernel, cachedKernels, type Kernel, kernelsFolder } from './kernel.ts';
import { type Context, messageOf, run } from './run.ts';
import { archOf, compareSeries, FLAVOURS, fits, seriesOf } from './series.ts';
import { fetchTools, haveTools } from './tools.ts';

/**
 * The newest kernel of each of these is tested; `7.x` stands for the newest series of that major number. They start in
 * this order, the slowest first.
 */
export const SERIES = ['6.12-arm64', '5.10', '6.1', '6.12', '6.18', '7.x'];

const DAY = 24 * 60 * 60 * 1000;
const KERNEL_PACKAGE = new RegExp(`^linux-image-\\d.*-(${Object.values(FLAVOURS).join('|')})$`);

export interface Missing {
  readonly series: string;
  readonly reason: string;
}

interface Fetched {
  readonly kernels: readonly Kernel[];
  readonly missing: readonly Missing[];
}

/** When the archive was last asked for a series, and why it could not be had (empty: it could). */
interface Lookup {
  /** 0 when the answer is not to be trusted for a day: the network failed, not the archive. */
  readonly time: number;
  readonly reason: string;
}

type Lookups = Readonly<Record<string, Lookup>>;

/** The wanted kernels, from the cache where that is recent enough. Never throws for a series alone. */
export async function fetchKernels(context: Context, wanted: readonly string[], update: boolean): Promise<Fetched> {
  let cached = await cachedKernels(context);
  let lookups = readLookups(context);
  const due = wanted.filter((series) => {
    const last = lookups[series];
    const recent = last !== undefined && Date.now() - last.time < DAY;
    const settled = newestOf(cached, series) !== undefined || (last?.reason ?? '') !== '';
    return update || !recent || !settled || !haveTools(context, 'x64') || !haveTools(context, archOf(series));
  });
  if (due.length > 0) {
    lookups = { ...lookups, ...(await lookUp(context, due, cached)) };
    cached = await cachedKernels(context);
  }
  const kernels: Kernel[] = [];
  const missing: Missing[] = [];
  for (const series of wanted) {
    const kernel = haveTools(context, archOf(series)) ? newestOf(cached, series) : undefined;
    const reason = lookups[series]?.reason ?? '';
    if (!kernel) missing.push({ series, reason });
    else if (!kernels.includes(kernel)) kernels.push(kernel);
    if (kernel && reason !== '') context.say(`${series}: using ${kernel.version} from the cache (${reason})`);
  }
  return { kernels, missing };
}

/** Asks the archive for each series and gets what is newer than the cache. */
async function lookUp(context: Context, wanted: readonly string[], cached: readonly Kernel[]): Promise<Lookups> {
  context.say('looking for kernels in the Debian archive');
  const time = Date.now();
  let complaints: string[];
  let candidates: Candidate[];
  try {
    await mkdir(context.cache, { recursive: true });
    complaints = await updateLists(context);
    for (const complaint of complaints) context.say(`apt: ${complaint}`);
    candidates = await findCandidates(context, 'linux-image-', KERNEL_PACKAGE);
    if (candidates.length === 0) throw new Error(complaints[0] ?? 'it has no kernels');
    if (!haveTools(context, 'x64')) await fetchTools(context, 'x64');
  } catch (error) {
    context.signal.throwIfAborted();
    const reason = `the archive could not be asked: ${messageOf(error)}`;
    if (!haveTools(context, 'x64')) throw new Error(`qemu could not be fetched; ${reason}`);
    return Object.fromEntries(wanted.map((series) => [series, { time: 0, reason }]));
  }
  const unreachable = complaints.some((complaint) => complaint.includes('Failed to fetch'));
  const lookups: Record<string, Lookup> = {};
  for (const series of wanted) {
    const arch = archOf(series);
    try {
      const found = await newestCandidate(context, candidates, series);
      const have = newestOf(cached, series);
      if (found && !haveTools(context, arch)) await fetchTools(context, arch);
      if (found && found.version !== have?.version) await fetchKernel(context, found, have);
      const reason = [`the archive has no ${FLAVOURS[arch]} kernel ${series}`, ...complaints].join('; ');
      lookups[series] = found ? { time, reason: '' } : { time: unreachable ? 0 : time, reason };
    } catch (error) {
      await rm(freshFolder(context), { recursive: true, force: true });
      context.signal.throwIfAborted();
      lookups[series] = { time: 0, reason: messageOf(error) };
    }
  }
  await writeFile(
    `${context.cache}/lookups.json`,
    `${JSON.stringify({ ...readLookups(context), ...lookups }, null, 2)}\n`,
  );
  return lookups;
}

async function fetchKernel(context: Context, found: Candidate, older: Kernel | undefined): Promise<void> {
  const series = seriesOf(found.name);
  const packages = await packagesOf(context, found.name);
  context.say(`fetching Linux ${found.version} (${packages.join(', ')})`);
  const folder = `${kernelsFolder(context)}/${series}`;
  const fresh = freshFolder(context);
  await rm(fresh, { recursive: true, force: true });
  await mkdir(`${fresh}/debs`, { recursive: true });
  await mkdir(kernelsFolder(context), { recursive: true });
  await download(context, packages, `${fresh}/debs`);
  await buildKernel(context, fresh, series, found.version);
  if (older) await rm(older.folder, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
}

/** Where a kernel is made, so that the cache never holds half of one. */
const freshFolder = (context: Context) => `${context.cache}/runs/${process.pid}-linux`;

/**
 * A kernel may be one package, or (from 6.19) an almost empty one that depends on its parts, or stand for
 * the newest of its series. All of them carry a version and the flavour in their names.
 */
async function packagesOf(context: Context, name: string, seen: Set<string> = new Set()): Promise<string[]> {
  const needed = await dependencies(context, name);
  // Some older kernels depend on a linux-base-VERSION that was never in the archive, and that is empty.
  if (needed === undefined || seen.has(name)) return [];
  seen.add(name);
  const flavour = FLAVOURS[archOf(seriesOf(name))];
  const parts = needed.filter((part) => /^linux-(image|binary|modules|base)-\d/.test(part));
  for (const part of parts.filter((item) => item.endsWith(flavour))) await packagesOf(context, part, seen);
  return [...seen];
}

async function newestCandidate(
  context: Context,
  all: readonly Candidate[],
  series: string,
): Promise<Candidate | undefined> {
  const fitting = all.filter(({ name }) => fits(seriesOf(name), series));
  // A release candidate is taken only when there is nothing else.
  const released = fitting.filter(({ version }) => !version.includes('~rc'));
  let newest: Candidate | undefined;
  for (const candidate of released.length > 0 ? released : fitting) {
    if (!newest || (await isNewer(context, candidate.version, newest.version))) newest = candidate;
  }
  return newest;
}

async function isNewer(context: Context, a: string, b: string): Promise<boolean> {
  return run(context.signal, 'dpkg', ['--compare-versions', a, 'gt', b]).then(
    () => true,
    () => false,
  );
}

function newestOf(kernels: readonly Kernel[], wanted: string): Kernel | undefined {
  const fitting = kernels.filter(({ series }) => fits(series, wanted));
  return fitting.sort((a, b) => compareSeries(b.series, a.series))[0];
}

function readLookups(context: Context): Lookups {
  const path = `${context.cache}/lookups.json`;
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Lookups) : {};
}
