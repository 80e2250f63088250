// Runs a folder of kernel tests in real kernels. README.md says how and why.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildKernelTests } from '../kernel-test/build.ts';
import { PROFILES } from '../kernel-test/profiles.ts';
import { fetchKernels, type Missing, SERIES } from './fetch.ts';
import { bootGuest, type Job } from './guest.ts';
import { baseInitrd, jobInitrd } from './initrd.ts';
import type { Kernel } from './kernel.ts';
import { type KernelResult, readResult } from './result.ts';
import { type Context, messageOf } from './run.ts';
import { type Arch, archOf, compareSeries } from './series.ts';
import { writeSupport } from './support.ts';
import { formatResults } from './table.ts';
import { count, findErrors } from './verdict.ts';

const USAGE = `usage: npm run test:kernels -- [options]
  --job FOLDER      holds kernel-tests.mjs and what it needs (default: this repository's kernel tests, built now)
  --kernel SERIES   only this series, such as 6.12, 7.x or 6.12-arm64 (repeatable; default: ${SERIES.join(', ')})
  --profile NAME    only as root, caps or none (repeatable; default: all three, in this order)
  --grep TEXT       only tests whose name holds this
  --jobs N          guests at the same time (default 2)
  --timeout N       seconds each guest may take, twice that on arm64 (default 300)
  --node PATH       the node to run in the guests (default: this one)
  --keep-log        keep the console and output of each guest in the cache folder
  --update          look for newer kernels now, not once a day
  --json FILE       write all results there
  --write-support   write docs/kernel-support.md from this run, which must be whole and without a failure`;

const CACHE = fileURLToPath(new URL('../../.cache/kernels', import.meta.url));

async function main(signal: AbortSignal): Promise<boolean> {
  const options = readOptions();
  const context: Context = { cache: CACHE, signal, say: (line) => console.log(line) };
  const wanted = options.kernel ?? SERIES;
  // First, so that a wrong folder is told before anything is fetched.
  const archive = jobInitrd(options.job ?? (await buildKernelTests()));
  await removeStaleRuns(context);
  const fetched = await fetchKernels(context, wanted, options.update);
  const { bases, without } = await makeBases(context, fetched.kernels, options.node);
  const missing = [...fetched.missing, ...without];
  const kernels = fetched.kernels.filter(({ series }) => bases.has(archOf(series)));
  for (const { series, reason } of missing) console.log(`${series}  could not be fetched: ${reason}`);

  const environment: Record<string, string> = { BPF_KERNEL_TEST: '1' };
  if (options.grep !== undefined) environment.BPF_TEST_GREP = options.grep;
  const job: Job = {
    bases,
    archive,
    profiles: options.profiles,
    environment,
    seconds: options.timeout,
  };
  const results: KernelResult[] = [];
  const queue = [...kernels];
  const work = async () => {
    for (let kernel = queue.shift(); kernel; kernel = queue.shift()) {
      results.push(await runKernel(context, kernel, job, options.keepLog));
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, work));
  results.sort((a, b) => compareSeries(a.series, b.series));
  return report(results, missing, options);
}

/** What the guests of each architecture start from, and the kernels that go without: npm may be out of reach. */
async function makeBases(context: Context, kernels: readonly Kernel[], node: string) {
  const bases = new Map<Arch, string>();
  const without: Missing[] = [];
  for (const arch of new Set(kernels.map(({ series }) => archOf(series)))) {
    try {
      bases.set(arch, await baseInitrd(context, arch, node));
    } catch (error) {
      context.signal.throwIfAborted();
      const left = kernels.filter(({ series }) => archOf(series) === arch);
      without.push(...left.map(({ series }) => ({ series, reason: messageOf(error) })));
    }
  }
  return { bases, without };
}

type Options = ReturnType<typeof readOptions>;

function readOptions() {
  const values = parse();
  const { job, kernel, profile = PROFILES, grep, node, update, json } = values;
  const number = (name: 'jobs' | 'timeout') => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`--${name} wants a number from 1 on`);
    return value;
  };
  const unknown = profile.find((name) => !PROFILES.some((known) => known === name));
  if (unknown !== undefined) throw new UsageError(`--profile is one of ${PROFILES.join(', ')}, not ${unknown}`);
  const profiles = PROFILES.filter((name) => profile.includes(name));
  const [jobs, timeout] = [number('jobs'), number('timeout')];
  return {
    job,
    kernel,
    profiles,
    grep,
    jobs,
    timeout,
    node,
    keepLog: values['keep-log'],
    update,
    json,
    writeSupport: values['write-support'],
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        job: { type: 'string' },
        kernel: { type: 'string', multiple: true },
        profile: { type: 'string', multiple: true },
        grep: { type: 'string' },
        jobs: { type: 'string', default: '2' },
        timeout: { type: 'string', default: '300' },
        node: { type: 'string', default: process.execPath },
        'keep-log': { type: 'boolean', default: false },
        update: { type: 'boolean', default: false },
        json: { type: 'string' },
        'write-support': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(messageOf(error));
  }
}

async function runKernel(context: Context, kernel: Kernel, job: Job, keepLog: boolean): Promise<KernelResult> {
  const ending = await bootGuest(context, kernel, job);
  const result = readResult(kernel, ending, job.profiles);
  const { passed, failed, skipped } = count(result.tests);
  const counts = `${passed} passed, ${failed} failed, ${skipped} skipped`;
  console.log(`${kernel.series.padEnd(10)} ${result.ending}: ${counts} (${kernel.version}, ${result.seconds} s)`);
  if (keepLog) {
    const logs = `${context.cache}/logs/${kernel.series}`;
    await mkdir(logs, { recursive: true });
    await writeFile(`${logs}/console.txt`, ending.console);
    await writeFile(`${logs}/output.txt`, ending.output);
    console.log(`           ${logs}`);
  }
  return result;
}

async function report(
  results: readonly KernelResult[],
  missing: readonly Missing[],
  options: Options,
): Promise<boolean> {
  const errors = findErrors(results, missing, {
    allSeries: options.kernel === undefined,
    allTests: options.grep === undefined,
  });
  const totals = count(results.flatMap(({ tests }) => tests));
  if (options.json !== undefined) {
    const everything = { kernels: results, missing, errors, totals };
    await writeFile(options.json, `${JSON.stringify(everything, null, 2)}\n`);
  }
  const table = formatResults(results, options.profiles);
  if (table !== '') console.log(`\n${table}\n`);
  for (const { series, reason } of missing) console.log(`not tested: ${series}: ${reason}`);
  for (const error of errors) console.log(`ERROR ${error}`);
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  const good = errors.length === 0 && totals.failed === 0;
  if (options.writeSupport) {
    if (!good || missing.length > 0 || options.kernel || options.grep !== undefined)
      throw new Error('only a whole and good run can be written down');
    writeSupport(results);
  }
  return good;
}

/** What a runner left behind that was killed outright. */
async function removeStaleRuns(context: Context): Promise<void> {
  for (const name of await readdir(`${context.cache}/runs`).catch(() => [])) {
    if (!isRunning(Number.parseInt(name, 10))) await rm(`${context.cache}/runs/${name}`, { recursive: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

class UsageError extends Error {}

const ending = new AbortController();
let signalCode = 0;
for (const [name, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  process.on(name, () => {
    signalCode = code;
    ending.abort();
  });
}
try {
  process.exitCode = (await main(ending.signal)) ? 0 : 1;
} catch (error) {
  if (!ending.signal.aborted)
    console.error(error instanceof UsageError ? `${error.message}\n${USAGE}` : messageOf(error));
  process.exitCode = signalCode || (error instanceof UsageError ? 2 : 1);
}
