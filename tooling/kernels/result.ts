// From what a guest wrote to what its tests did.
import type { Ending } from './guest.ts';
import type { Kernel } from './kernel.ts';
import { lastLines } from './run.ts';

export interface TestResult {
  readonly profile: string;
  readonly feature: string;
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  readonly error?: string;
  readonly ms?: number;
}

/** One kernel's run. */
export interface KernelResult {
  readonly series: string;
  readonly version: string;
  readonly release: string;
  readonly seconds: number;
  /** A few words: `exited 0`, `exited 1`, `guest died`, `time limit`. */
  readonly ending: string;
  readonly tests: readonly TestResult[];
  /** What went wrong beside failed tests, with as much of the guest's words as explains it. */
  readonly problems: readonly string[];
}

const STATUSES = new Set<unknown>(['passed', 'failed', 'skipped']);

export function readResult(kernel: Kernel, ending: Ending, profiles: readonly string[]): KernelResult {
  const tests: TestResult[] = [];
  const problems: string[] = [];
  const sections = splitProfiles(ending.output);
  for (const profile of profiles) {
    const output = sections.get(profile) ?? '';
    const { found, done } = readTests(profile, output);
    tests.push(...found);
    const code = ending.codes.get(profile);
    const failed = found.some(({ status }) => status === 'failed');
    const tail = () => indent(lastLines(noise(output), 15));
    if (code === undefined) continue;
    if (code > 1) problems.push(`${profile}: the tests ended with exit code ${code}\n${tail()}`);
    else if (!done) problems.push(`${profile}: exit code ${code}, but the tests did not come to their end\n${tail()}`);
    else if (code === 1 && !failed) problems.push(`${profile}: exit code 1, but no test failed\n${tail()}`);
    else if (code === 0 && failed) problems.push(`${profile}: exit code 0, but tests failed`);
  }
  const worst = Math.max(0, ...ending.codes.values());
  const endings = { exited: `exited ${worst}`, died: 'guest died', timeout: 'time limit' };
  if (ending.kind !== 'exited') problems.push(explainEnd(ending, sections));
  const { series, version, release } = kernel;
  const seconds = Math.round(ending.seconds * 10) / 10;
  return { series, version, release, seconds, ending: endings[ending.kind], tests, problems };
}

/** The output of each profile: init.sh writes `@profile NAME` on a line of its own before each. */
function splitProfiles(output: string): Map<string, string> {
  const [, ...parts] = output.split(/^@profile (\w+)\n/m);
  const sections = new Map<string, string>();
  for (let i = 0; i < parts.length; i += 2) sections.set(parts[i] ?? '', parts[i + 1] ?? '');
  return sections;
}

/** The JSON lines among the noise; a line may start with something that was written without a line end. */
function readTests(profile: string, output: string): { found: TestResult[]; done: boolean } {
  const found: TestResult[] = [];
  let done = false;
  for (const line of output.split('\n')) {
    const start = line.search(/\{"(feature|done)":/);
    if (start < 0) continue;
    const value = parseJson(line.slice(start));
    if (value?.done === true) done = true;
    const { feature, name, status } = value ?? {};
    if (typeof feature !== 'string' || typeof name !== 'string' || !STATUSES.has(status)) continue;
    found.push({ ...(value as unknown as TestResult), profile });
  }
  return { found, done };
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Cut off by the guest's end, or not ours.
    return undefined;
  }
}

function noise(output: string): string {
  const lines = output.split('\n').filter((line) => !/^\{"(feature|done)":.*\}$/.test(line));
  return lines.join('\n');
}

function explainEnd(ending: Ending, sections: ReadonlyMap<string, string>): string {
  const running = [...sections.keys()].at(-1);
  const where = running === undefined ? 'before any test ran' : `while running as ${running}`;
  const cause = /Kernel panic - .*|BUG: .*|Oops: .*/.exec(ending.console)?.[0];
  const what =
    ending.kind === 'timeout'
      ? `time limit: ended after ${Math.round(ending.seconds)} s, ${where}`
      : `the guest died ${where}${cause === undefined ? '' : `: ${cause.trimEnd()}`}`;
  const last = running === undefined ? '' : lastLines(sections.get(running) ?? '', 5);
  const output = last === '' ? '' : `\n  the last of its output:\n${indent(last)}`;
  return `${what}\n  the last of its console:\n${indent(lastLines(ending.console, 40))}${output}`;
}

function indent(text: string): string {
  return text.replaceAll('\r', '').replace(/^/gm, '    ');
}
