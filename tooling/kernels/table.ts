// The results for people: a table for each profile, then the reasons and errors below it.
import { profiles as headings, type Profile } from '../kernel-test/profiles.ts';
import type { KernelResult, TestResult } from './result.ts';
import { count, isSkipped } from './verdict.ts';

export function formatResults(results: readonly KernelResult[], profiles: readonly Profile[]): string {
  const sections: string[] = [];
  for (const profile of profiles) {
    const tests = (result: KernelResult) => result.tests.filter((test) => test.profile === profile);
    const features = [...new Set(results.flatMap(tests).map(({ feature }) => feature))].sort();
    if (features.length === 0) continue;
    const rows = features.map((feature) => {
      const cells = results.map((result) => formatCell(tests(result).filter((test) => test.feature === feature)));
      return [feature, ...cells];
    });
    const head = [headings[profile], ...results.map(nameColumn)];
    sections.push(formatTable([head, ...rows]));
  }
  sections.push(...formatNotes('failed', results, (test) => test.error));
  sections.push(...formatNotes('skipped', results, (test) => test.reason));
  return sections.join('\n\n');
}

/** A guest that did not come to its end has cells that are short of tests. */
function nameColumn({ series, ending }: KernelResult): string {
  return ending.startsWith('exited') ? series : `${series} (${ending})`;
}

/** `3 passed` when all is well; else every number that is not zero. */
function formatCell(tests: readonly TestResult[]): string {
  if (tests.length === 0) return '-';
  if (isSkipped(tests)) return 'skipped';
  const { passed, failed, skipped } = count(tests);
  const words = [failed && `${failed} FAILED`, passed && `${passed} passed`, skipped && `${skipped} skipped`];
  return words.filter(Boolean).join(', ');
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width)).join('  '));
  return lines.join('\n');
}

/** Each test with the same words is said once, with the kernels and profiles it happened on. */
function formatNotes(
  status: TestResult['status'],
  results: readonly KernelResult[],
  words: (test: TestResult) => string | undefined,
): string[] {
  const places = new Map<string, Map<string, string[]>>();
  for (const { series, tests } of results) {
    for (const test of tests.filter((candidate) => candidate.status === status)) {
      const note = `${test.feature}: ${test.name}\n${indent(words(test) ?? 'no words given')}`;
      const profiles = places.get(note) ?? new Map<string, string[]>();
      profiles.set(test.profile, [...(profiles.get(test.profile) ?? []), series]);
      places.set(note, profiles);
    }
  }
  if (places.size === 0) return [];
  const notes = [...places].map(([note, profiles]) => {
    const where = [...profiles].map(([profile, series]) => `${profile} on ${series.join(', ')}`).join('; ');
    return note.replace('\n', ` (${where})\n`);
  });
  return [`${status}:\n${notes.map((note) => note.replace(/^/gm, '  ')).join('\n')}`];
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
