import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';

const GETUID = process.arch === 'x64' ? 102 : 174;

kernelTest(rawTracepoint, 'count-syscalls counts just what one process did', async () => {
  // A process that calls getuid(2) 1000 times, once the program is attached.
  const subject = spawn(
    process.execPath,
    [
      '-e',
      'process.stdin.once("data", () => { for (let i = 0; i < 1000; i++) process.getuid(); }); console.log("started")',
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await once(subject.stdout, 'data'); // as it starts, it asks by itself
  const example = spawn(process.execPath, [join(jobFolder, 'count-syscalls.mjs'), String(subject.pid), '2'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: example.stdout })) {
    if (lines.length === 0) subject.stdin.end('go\n');
    lines.push(line);
  }
  assert.equal(lines[0], 'Counting system calls for 2 s …');
  const counts = new Map(lines.slice(1).map((line) => line.trim().split(' ').map(Number) as [number, number]));
  assert.equal(counts.get(GETUID), 1000);
  if (subject.exitCode === null) await once(subject, 'exit');
});
