import { expect, test } from 'vitest';
import type { KernelResult, TestResult } from './result.ts';
import { findFirstSeries, formatSupport } from './support.ts';

function kernel(series: string, statuses: Record<string, TestResult['status']>): KernelResult {
  const tests = Object.entries(statuses).map(([feature, status]) => {
    const reason = status === 'skipped' ? { reason: 'no such thing' } : {};
    return { profile: 'root', feature, name: 'works', status, ...reason };
  });
  return { series, version: '1', release: series, seconds: 1, ending: 'exited 0', tests, problems: [] };
}

const RESULTS = [
  kernel('6.1', { hash: 'passed', kprobe_multi: 'skipped', rhash: 'skipped' }),
  kernel('6.12', { hash: 'passed', kprobe_multi: 'passed', rhash: 'skipped' }),
  kernel('6.12-arm64', { hash: 'passed', kprobe_multi: 'skipped', rhash: 'skipped' }),
];

test('the first series that has a feature is another one for each architecture', () => {
  expect(findFirstSeries(RESULTS)).toEqual({
    x64: { hash: '6.1', kprobe_multi: '6.12' },
    arm64: { hash: '6.12-arm64' },
  });
});

test('the document has a column for each kernel, and the reasons', () => {
  expect(formatSupport(RESULTS).split('\n\n').slice(2).join('\n\n')).toMatchInlineSnapshot(`
    "| feature | 6.1 | 6.12 | 6.12-arm64 |
    |---|---|---|---|
    | hash | yes | yes | yes |
    | kprobe_multi | - | yes | - |
    | rhash | - | - | - |

    Where a kernel lacks a feature, the reason was:

    - kprobe_multi (6.1, 6.12-arm64): no such thing
    - rhash (6.1, 6.12, 6.12-arm64): no such thing
    "
  `);
});
