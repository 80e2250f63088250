// `npm test`: the unit tests, then the kernel tests on this machine's kernel, then what was exercised and what not.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { buildKernelTests } from './kernel-test/build.ts';
import type { TestResult } from './kernel-test/harness.ts';
import { PROFILES, type Profile, profiles, setprivArguments } from './kernel-test/profiles.ts';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const root = join(import.meta.dirname, '..');

const { values: options } = parseArgs({
  options: {
    /** Features whose tests may be skipped, separated by commas; when given, any other skip is a failure. */
    'may-skip': { type: 'string' },
    /** Only kernel tests whose feature or name holds this text. */
    grep: { type: 'string', default: '' },
  },
});

run('turbo', ['run', 'build', '--filter=@bpf/cli', '--output-logs=errors-only']);
const unit = unitTests();
const folder = await buildKernelTests();
const results: TestResult[] = [];
for (const profile of PROFILES) results.push(...(await kernelTests(folder, profile)));
printFeatures(results);
const forbidden = forbiddenSkips(results);
const count = (status: TestResult['status']): number => results.filter((result) => result.status === status).length;
const total: Counts = {
  passed: unit.passed + count('passed'),
  failed: unit.failed + count('failed') + forbidden,
  skipped: unit.skipped + count('skipped') - forbidden,
};
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;

function unitTests(): Counts {
  console.log('Unit tests');
  const report = join(root, '.cache/unit-tests.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { status } = spawnSync('vitest', ['run', '--project=unit', ...reporters], { cwd: root, stdio: 'inherit' });
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: skipped = 0 } = counts;
  // A file that does not even load has no test that fails.
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed, skipped };
}

/** Runs the bundle as one profile; root is whoever runs this. */
async function kernelTests(folder: string, profile: Profile): Promise<TestResult[]> {
  const command = [process.execPath, '--enable-source-maps', 'kernel-tests.mjs'];
  if (profile !== 'root') {
    const setpriv = ['setpriv', ...setprivArguments(profile)];
    const [file = '', ...args] = setpriv;
    // A machine without setpriv, or a user who may not use it, has no other profile than its own.
    if (spawnSync(file, [...args, 'true']).status !== 0) {
      const reason = 'setpriv (util-linux) is not there, or this user has no capabilities to give up';
      return [{ feature: 'capabilities', name: profiles[profile], status: 'skipped', reason, ms: 0 }];
    }
    command.unshift(...setpriv);
  }
  const who = profile === 'root' && process.getuid?.() !== 0 ? `as user ${process.getuid?.()}` : profiles[profile];
  console.log(`\nKernel tests on Linux ${release()}, ${who}`);
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BPF_TEST_GREP: options.grep, BPF_TEST_PROFILE: profile },
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const results: TestResult[] = [];
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as TestResult | { done: true };
    if ('done' in message) done = true;
    else {
      results.push(message);
      printResult(message);
    }
  }
  const status = await closed;
  if (!done) results.push(fatal(`the kernel tests ended before their end, with status ${status}`));
  return results;
}

function fatal(error: string): TestResult {
  const result: TestResult = { feature: 'kernel tests', name: 'run to the end', status: 'failed', error, ms: 0 };
  printResult(result);
  return result;
}

function printResult({ feature, name, status, error, ms }: TestResult): void {
  const mark = { passed: '✓', failed: '×', skipped: '-' }[status];
  console.log(` ${mark} ${feature}: ${name}${status === 'skipped' ? ' (skipped)' : ` (${ms} ms)`}`);
  if (error) console.log(error.replace(/^/gm, '     '));
}

/** Which features of the kernel were exercised, and why the others were not. */
function printFeatures(results: readonly TestResult[]): void {
  const features = [...new Set(results.map(({ feature }) => feature))].sort();
  const of = (feature: string): TestResult[] => results.filter((result) => result.feature === feature);
  const exercised = features.filter((feature) => of(feature).some(({ status }) => status !== 'skipped'));
  const missing = features.filter((feature) => !exercised.includes(feature));
  console.log(`\nKernel features exercised: ${exercised.join(', ') || 'none'}`);
  if (missing.length > 0) console.log('Kernel features not exercised:');
  for (const feature of missing) console.log(`  ${feature}: ${of(feature)[0]?.reason}`);
}

function forbiddenSkips(results: readonly TestResult[]): number {
  const allowed = options['may-skip']?.split(',');
  if (!allowed) return 0;
  const forbidden = results.filter(({ status, feature }) => status === 'skipped' && !allowed.includes(feature));
  for (const { feature, name } of forbidden) console.log(`× ${feature}: ${name} was skipped, and should run here`);
  return forbidden.length;
}

function run(file: string, args: string[]): void {
  const { status } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
