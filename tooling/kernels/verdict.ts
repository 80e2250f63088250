// Whether all is well: everything that must make the run fail, beside a failed test.
import expected from './expected.json' with { type: 'json' };
import type { Missing } from './fetch.ts';
import type { KernelResult, TestResult } from './result.ts';
import { type Arch, archOf, compareSeries } from './series.ts';

/**
 * The first series of the matrix, for each architecture, that was seen to have a feature: a test of it that is skipped
 * from there on would hide that the feature, or its probe, broke. Written by `--write-support`.
 */
const FIRST_SERIES: Readonly<Record<Arch, Readonly<Record<string, string>>>> = expected;

/** With fewer kernels than this the matrix proves too little to be called passed. */
const FEWEST_KERNELS = 4;

interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export function count(tests: readonly TestResult[]): Totals {
  const of = (status: string) => tests.filter((test) => test.status === status).length;
  return { passed: of('passed'), failed: of('failed'), skipped: of('skipped') };
}

export function isSkipped(tests: readonly TestResult[]): boolean {
  return tests.length > 0 && tests.every(({ status }) => status === 'skipped');
}

/** What a run was asked for: a part cannot tell that a feature is skipped everywhere, or altogether. */
interface Scope {
  readonly allSeries: boolean;
  readonly allTests: boolean;
}

/** Everything but failed tests that must fail the run. */
export function findErrors(results: readonly KernelResult[], missing: readonly Missing[], scope: Scope): string[] {
  const errors = results.flatMap(({ series, problems }) => problems.map((problem) => `${series}: ${problem}`));
  for (const { series, tests } of results) {
    if (tests.length === 0) errors.push(`${series}: no test ran`);
  }
  if (!scope.allSeries) {
    errors.push(...missing.map(({ series, reason }) => `${series} could not be fetched: ${reason}`));
  } else if (results.length < FEWEST_KERNELS) {
    errors.push(`only ${results.length} kernels could be had, ${FEWEST_KERNELS} are needed`);
  }
  return scope.allTests ? [...errors, ...findWrongSkips(results, scope.allSeries)] : errors;
}

/** Skips that hide something; those of the unprivileged are theirs to make. */
function findWrongSkips(results: readonly KernelResult[], allSeries: boolean): string[] {
  const errors: string[] = [];
  const asRoot = (result: KernelResult, feature: string) =>
    result.tests.filter((test) => test.profile === 'root' && test.feature === feature);
  const features = new Set(results.flatMap(({ tests }) => tests.map(({ feature }) => feature)));
  for (const feature of features) {
    const present = results.filter((result) => asRoot(result, feature).length > 0);
    const skipping = present.filter((result) => isSkipped(asRoot(result, feature)));
    if (allSeries && present.length > 0 && skipping.length === present.length) {
      errors.push(`${feature}: skipped on every kernel`);
      continue;
    }
    for (const { series } of skipping) {
      const first = FIRST_SERIES[archOf(series)][feature];
      if (first === undefined || compareSeries(series, first) < 0) continue;
      errors.push(`${feature}: skipped on ${series}, which is known to have it (from ${first} on)`);
    }
  }
  return errors;
}
