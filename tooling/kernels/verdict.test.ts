import { expect, test } from 'vitest';
import type { KernelResult, TestResult } from './result.ts';
import { formatResults } from './table.ts';
import { findErrors } from './verdict.ts';

const WHOLE = { allSeries: true, allTests: true };
const SOME_SERIES = { allSeries: false, allTests: true };
const SOME_TESTS = { allSeries: true, allTests: false };

type Status = TestResult['status'];

function kernel(series: string, statuses: Record<string, Status>, profile = 'root'): KernelResult {
  const tests = Object.entries(statuses).map(([feature, status]) => ({ profile, feature, name: 'works', status }));
  return { series, version: '1', release: series, seconds: 1, ending: 'exited 0', tests, problems: [] };
}

const matrix = (of: (series: string) => Record<string, Status>) =>
  ['5.10', '6.1', '6.12', '7.2'].map((series) => kernel(series, of(series)));

test('a skip is fine where the feature is too new', () => {
  const results = matrix((series) => ({ tcx: series === '5.10' || series === '6.1' ? 'skipped' : 'passed' }));
  expect(findErrors(results, [], WHOLE)).toEqual([]);
});

test('a feature skipped on every kernel is an error, of the whole matrix only', () => {
  const results = matrix(() => ({ arena: 'skipped' }));
  expect(findErrors(results, [], WHOLE)).toEqual(['arena: skipped on every kernel']);
  expect(findErrors(results, [], SOME_SERIES)).toEqual([]);
  expect(findErrors(results, [], SOME_TESTS)).toEqual([]);
});

test('a feature skipped on a kernel that has it is an error', () => {
  const results = matrix((series) => ({ 'attach/fentry': series === '6.1' ? 'skipped' : 'passed' }));
  expect(findErrors(results, [], WHOLE)).toEqual([
    'attach/fentry: skipped on 6.1, which is known to have it (from 5.10 on)',
  ]);
});

test('what arm64 is known to have is its own', () => {
  const arm64 = (status: Status) => kernel('6.12-arm64', { 'attach/fentry': status, 'attach/kprobe_multi': 'skipped' });
  const results = matrix(() => ({ 'attach/fentry': 'passed', 'attach/kprobe_multi': 'passed' }));
  expect(findErrors([...results.slice(2), arm64('passed')], [], SOME_SERIES)).toEqual([]);
  expect(findErrors([...results.slice(2), arm64('skipped')], [], SOME_SERIES)).toEqual([
    'attach/fentry: skipped on 6.12-arm64, which is known to have it (from 6.12-arm64 on)',
  ]);
});

test('skips of the unprivileged are theirs to make', () => {
  const unprivileged = kernel('6.12', { fentry: 'skipped' }, 'none');
  expect(findErrors([unprivileged], [], SOME_SERIES)).toEqual([]);
});

test('one missing series does not fail the matrix, too few kernels do', () => {
  const missing = [{ series: '6.18', reason: 'gone' }];
  const results = matrix(() => ({ fentry: 'passed' }));
  expect(findErrors(results, missing, WHOLE)).toEqual([]);
  expect(findErrors(results.slice(1), missing, WHOLE)).toEqual(['only 3 kernels could be had, 4 are needed']);
  expect(findErrors(results.slice(1), missing, SOME_SERIES)).toEqual(['6.18 could not be fetched: gone']);
});

test('the table has a row for each feature, a column for each kernel, and the words below', () => {
  const results = matrix((series) => ({ fentry: 'passed', xdp: series === '6.1' ? 'failed' : 'skipped' }));
  expect(formatResults(results, ['root', 'none'])).toMatchInlineSnapshot(`
    "as root  5.10      6.1       6.12      7.2
    -------  --------  --------  --------  --------
    fentry   1 passed  1 passed  1 passed  1 passed
    xdp      skipped   1 FAILED  skipped   skipped

    failed:
      xdp: works (root on 6.1)
        no words given

    skipped:
      xdp: works (root on 5.10, 6.12, 7.2)
        no words given"
  `);
});
