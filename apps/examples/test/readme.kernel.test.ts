import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { btf, fentry, iterator, progLoading } from '../../../tooling/kernel-test/features.ts';
import { type Feature, jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';

/** What the examples of a README need beyond loading a program. */
const needs: Readonly<Record<string, Feature>> = {
  root: iterator('task'),
  btf,
  'dsl-iter': iterator('task'),
  'dsl-fentry': fentry,
};

for (const file of readdirSync(jobFolder).filter((name) => name.startsWith('readme-'))) {
  const room = file.replace(/^readme-(.*)-\d+\.mjs$/, '$1');
  kernelTest(needs[room] ?? progLoading, `the example of the README runs: ${room}`, async () => {
    // In this process: starting another one takes most of a second in a guest.
    const { log } = console;
    const printed: unknown[] = [];
    console.log = (...words) => printed.push(words);
    try {
      await import(join(jobFolder, file));
    } finally {
      console.log = log;
    }
    assert.ok(printed.length > 0);
  });
}
