// Other processes for tests: this very file, started anew, runs the one test that started it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobFolder } from '../../../tooling/kernel-test/harness.ts';

/** What the parent gave, in a child; undefined in every other process. */
export const childArgument: string | undefined = process.env.BPF_TEST_CHILD;

/** A child, which is killed (SIGKILL) at the end of its scope. All that a test does with it is synchronous. */
export class Child implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'bpf-child-'));
  readonly #output = join(this.#folder, 'output');
  readonly #out = openSync(this.#output, 'w');
  readonly #process: ChildProcess;

  /** @param test a part of the name of the test that it runs */
  constructor(test: string, argument: string) {
    this.#process = spawn(process.execPath, [join(jobFolder, 'kernel-tests.mjs')], {
      env: { ...process.env, BPF_TEST_CHILD: argument, BPF_TEST_GREP: test },
      stdio: ['ignore', this.#out, 'inherit'],
    });
  }

  /** A line that it prints, the first one being 0. */
  line(number: number): string {
    const lines = (): string[] => readFileSync(this.#output, 'utf8').split('\n');
    assert.ok(
      until(() => lines().length > number + 1, 50_000),
      'the child said nothing',
    );
    const line = lines()[number] ?? '';
    assert.doesNotMatch(line, /"status":"failed"/);
    return line;
  }

  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL');
    closeSync(this.#out);
    rmSync(this.#folder, { recursive: true });
  }
}

export function until(done: () => boolean, ms = 10_000): boolean {
  for (const end = Date.now() + ms; Date.now() < end; pause(50)) if (done()) return true;
  return false;
}

export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
