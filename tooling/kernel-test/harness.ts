import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { UnavailableError } from '@bpf/sys';
import type { Profile } from './profiles.ts';

/** Something that a kernel has or has not, as far as a test needs it. */
export interface Feature {
  /** A row of the summary, such as 'iter/task'. */
  readonly name: string;
  /** Tries it: undefined when it is there, or else why it is not. An UnavailableError that it throws is a reason too. */
  probe(): string | undefined;
}

/** What a test reports, one JSON line each. */
export interface TestResult {
  readonly feature: string;
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  readonly error?: string;
  readonly ms: number;
}

interface KernelTest {
  readonly feature: Feature;
  readonly name: string;
  readonly run: () => void | Promise<void>;
  readonly profiles: readonly Profile[];
}

/** The folder of the bundle, where the command and the examples lie beside it. */
export const jobFolder: string = import.meta.dirname;

const TEST_MS = 60_000;
const tests: KernelTest[] = [];

/**
 * Registers a test that needs a kernel. It runs where the feature's probe finds it, and is skipped with the probe's
 * reason elsewhere, once for each profile. Kernel tests are not for vitest: they are bundled into one light file that runs in any Linux.
 */
export function kernelTest(
  feature: Feature,
  name: string,
  run: () => void | Promise<void>,
  profiles: readonly Profile[] = ['root'],
): void {
  tests.push({ feature, name, run, profiles });
}

/** Runs what was registered, prints a line of JSON for each test, and returns the exit status. @public */
export async function runKernelTests(): Promise<number> {
  const profile = (process.env.BPF_TEST_PROFILE ?? 'root') as Profile;
  const grep = process.env.BPF_TEST_GREP ?? '';
  let failed = 0;
  for (const test of tests) {
    if (!test.profiles.includes(profile)) continue;
    if (!`${test.feature.name} ${test.name}`.includes(grep)) continue;
    const result = await runTest(test);
    if (result.status === 'failed') failed++;
    console.log(JSON.stringify(result));
  }
  console.log(JSON.stringify({ done: true }));
  return failed ? 1 : 0;
}

async function runTest({ feature, name, run }: KernelTest): Promise<TestResult> {
  const start = performance.now();
  const result = (status: TestResult['status'], facts: { reason?: string; error?: string } = {}): TestResult => ({
    feature: feature.name,
    name,
    status,
    ...facts,
    ms: Math.round(performance.now() - start),
  });
  try {
    const reason = whyMissing(feature);
    if (reason !== undefined) return result('skipped', { reason });
    const before = bpfDescriptors();
    await withTimeLimit(run);
    const leaked = bpfDescriptors().filter((descriptor) => !before.includes(descriptor));
    if (leaked.length > 0) return result('failed', { error: `left open: ${leaked.join(', ')}` });
    return result('passed');
  } catch (error) {
    return result('failed', { error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

const probed = new Map<string, string | undefined>();

function whyMissing(feature: Feature): string | undefined {
  if (!probed.has(feature.name)) probed.set(feature.name, probe(feature));
  return probed.get(feature.name);
}

function probe(feature: Feature): string | undefined {
  try {
    return feature.probe();
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    throw error;
  }
}

async function withTimeLimit(run: () => void | Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${TEST_MS / 1000} s`)), TEST_MS);
  });
  try {
    await Promise.race([run(), limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** The BPF objects that this process holds, as 'FD anon_inode:bpf-map'. */
function bpfDescriptors(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(join('/proc/self/fd', fd));
      return target.includes('bpf') ? [`${fd} ${target}`] : [];
    } catch {
      return []; // the descriptor of this very listing
    }
  });
}
