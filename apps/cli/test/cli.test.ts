import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { stateLetter } from '../src/tasks.ts';

const bpf = join(import.meta.dirname, '../dist/bpf.js');
const run = (
  args: string[],
  node: string[] = [],
  file = bpf,
): { status: number | null; stdout: string; stderr: string } =>
  spawnSync(process.execPath, [...node, file, ...args], { encoding: 'utf8' });

test('--version and --help', () => {
  expect(execFileSync(bpf, ['--version'], { encoding: 'utf8' })).toBe(`${manifest.version}\n`);
  const { status, stdout } = run(['--help']);
  expect(status).toBe(0);
  expect(stdout).toContain('iter');
  expect(run(['iter', '--help']).stdout).toContain('bpf iter task --fields pid,comm,mm.total_vm');
});

test('a typo is told with what was meant, and status 1', () => {
  const { status, stderr } = run(['itr']);
  expect(status).toBe(1);
  expect(stderr).toBe("error: unknown command 'itr'\n(Did you mean iter?)\n");
});

test('another operating system is told in one sentence, with status 77', () => {
  const darwin = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"darwin"})';
  const { status, stdout, stderr } = run(['iter', 'task'], ['--import', darwin]);
  expect({ status, stdout }).toEqual({ status: 77, stdout: '' });
  expect(stderr).toBe(
    'bpf: BPF is a part of Linux, and this is macOS: run it on a Linux machine, or in a virtual one.\n',
  );
});

test.runIf(process.platform === 'linux')('a koffi that is missing is told in one sentence, with status 77', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-cli-'));
  copyFileSync(bpf, join(folder, 'bpf.mjs'));
  const { status, stderr } = run(['iter', 'task'], [], join(folder, 'bpf.mjs'));
  rmSync(folder, { recursive: true });
  expect(status).toBe(77);
  expect(stderr).toMatch(/^bpf: The native part of the koffi package does not load on linux-\w+: install it .*\n$/);
});

// include/linux/sched.h: the letters of /proc/PID/stat.
test.each([
  ['running', 0x0, 0, 'R'],
  ['sleeping', 0x1, 0, 'S'],
  ['in uninterruptible sleep', 0x2, 0, 'D'],
  ['stopped', 0x4, 0, 'T'],
  ['traced', 0x8, 0, 't'],
  ['dead', 0x80, 0x10, 'X'],
  ['a zombie', 0x80, 0x20, 'Z'],
  ['parked', 0x40, 0, 'P'],
  ['idle', 0x402, 0, 'I'],
  ['killable', 0x102, 0, 'D'],
  ['freezable sleep', 0x2001, 0, 'S'],
  ['frozen', 0x8000, 0, 'D'],
  ['waiting for an RT lock', 0x1000, 0, 'D'],
])('the letter of a task that is %s', (_, state, exitState, letter) => {
  expect(stateLetter(state, exitState)).toBe(letter);
});
