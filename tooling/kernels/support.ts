// What the matrix has shown, written down: docs/kernel-support.md for people, expected.json for the next run.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { KernelResult } from './result.ts';
import { type Arch, archOf } from './series.ts';
import { isSkipped } from './verdict.ts';

const DOCUMENT = fileURLToPath(new URL('../../docs/kernel-support.md', import.meta.url));
const EXPECTED = fileURLToPath(new URL('expected.json', import.meta.url));

/** Writes both files from a run over all kernels in which nothing failed; `results` are in order of their series. */
export function writeSupport(results: readonly KernelResult[]): void {
  writeFileSync(DOCUMENT, formatSupport(results));
  writeFileSync(EXPECTED, `${JSON.stringify(findFirstSeries(results), null, 2)}\n`);
  execFileSync('biome', ['format', '--write', DOCUMENT, EXPECTED]);
}

/** The document: a column for each kernel. */
export function formatSupport(results: readonly KernelResult[]): string {
  const features = featuresOf(results);
  const series = results.map((result) => result.series);
  const rows = features.map((feature) => [feature, ...results.map((result) => (has(result, feature) ? 'yes' : '-'))]);
  const lines = [
    '# Kernel support',
    '',
    'Which feature works on which kernel, as measured: each was exercised there by a test, as root. Written by',
    '`npm run test:kernels -- --write-support`, not by hand. The kernels are those of Debian, cloud flavour, for',
    'x86-64 where no other architecture is named.',
    '',
    `| feature | ${series.join(' | ')} |`,
    `|---${'|---'.repeat(series.length)}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
    '',
    'Where a kernel lacks a feature, the reason was:',
    '',
    ...features.flatMap((feature) => reasons(results, feature)),
  ];
  return `${lines.join('\n')}\n`;
}

/** For each architecture, the first series from which on every kernel has a feature: a new one may come later to arm64. */
export function findFirstSeries(results: readonly KernelResult[]): Record<Arch, Record<string, string>> {
  const firstSeries = (arch: Arch): Record<string, string> => {
    const kernels = results.filter(({ series }) => archOf(series) === arch);
    const found = featuresOf(kernels).flatMap((feature) => {
      const lacking = kernels.findLastIndex((result) => !has(result, feature));
      const first = kernels[lacking + 1]?.series;
      return first === undefined ? [] : [[feature, first]];
    });
    return Object.fromEntries(found);
  };
  return { x64: firstSeries('x64'), arm64: firstSeries('arm64') };
}

function featuresOf(results: readonly KernelResult[]): string[] {
  return [...new Set(results.flatMap((result) => asRoot(result).map(({ feature }) => feature)))].sort();
}

function has(result: KernelResult, feature: string): boolean {
  const tests = asRoot(result).filter((test) => test.feature === feature);
  return tests.length > 0 && !isSkipped(tests);
}

/** One line for each reason: the feature, the kernels, the words. */
function reasons(results: readonly KernelResult[], feature: string): string[] {
  const series = new Map<string, string[]>();
  for (const result of results) {
    const tests = asRoot(result).filter((test) => test.feature === feature);
    if (!isSkipped(tests)) continue;
    const reason = tests[0]?.reason ?? '';
    series.set(reason, [...(series.get(reason) ?? []), result.series]);
  }
  return [...series].map(([reason, names]) => `- ${feature} (${names.join(', ')}): ${reason}`);
}

function asRoot({ tests }: KernelResult): KernelResult['tests'] {
  return tests.filter(({ profile }) => profile === 'root');
}
