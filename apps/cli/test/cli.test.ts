import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { encodeBtf } from '@bpf/btf/build';
import { expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { stateLetter } from '../src/tasks.ts';

const bpf = join(import.meta.dirname, '../dist/bpf.cjs');
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
  expect(run(['map', 'dump', '--help']).status).toBe(0);
});

test('a typo is told with what was meant, and status 2', () => {
  const { status, stderr } = run(['itr']);
  expect(status).toBe(2);
  expect(stderr).toBe("bpf: unknown command 'itr'\n(Did you mean iter?)\n");
});

test.each([[[]], [['map']], [['map', 'dump']], [['iter', 'task', '--pid', 'x']]])('%j is wrong usage', (args) => {
  const { status, stdout, stderr } = run(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(/^(Usage: bpf|bpf: )/);
});

/** More types than a pipe takes at once, however they are printed. */
const many = (): Uint8Array =>
  encodeBtf([
    { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
    ...Array.from({ length: 5000 }, (_, i) => {
      const members = [{ name: 'member', typeId: 1, bitOffset: 0, bitSize: 0 }];
      return { kind: 'struct', name: `a_struct_of_many_${i}`, size: 4, members } as const;
    }),
  ]);

test.each(['btf list', 'btf dump --format raw', 'btf dump --format json', 'btf dump'])(
  'bpf %s: a reader that has seen enough is no failure, and nothing is said of it',
  (command) => {
    const folder = mkdtempSync(join(tmpdir(), 'bpf-cli-'));
    const file = join(folder, 'many.btf');
    writeFileSync(file, many());
    const script = `"$0" "$1" ${command} --file "$2" | head -c 1; echo " \${PIPESTATUS[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, bpf, file], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect({ stdout: stdout.slice(1), stderr }).toEqual({ stdout: ' 0 0\n', stderr: '' });
  },
);

test('standard error that nobody reads changes no status', () => {
  const script = '"$0" "$1" nosuch 2>&1 | true; echo "$PIPESTATUS"';
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, bpf], { encoding: 'utf8' });
  expect(stdout).toBe('2\n');
});

/** The files of the bundle that a command has loaded when it ends, and their kilobytes. */
function loadedBy(...args: string[]): { files: string[]; kilobytes: number } {
  const tell =
    'data:text/javascript,import m from "node:module";process.on("exit",()=>console.error(JSON.stringify(Object.keys(m._cache))))';
  const [told = ''] = run(args, ['--import', tell]).stderr.trimEnd().split('\n').slice(-1);
  const paths = (JSON.parse(told) as string[]).filter((path) => dirname(path) === dirname(bpf));
  const bytes = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  return { files: paths.map((path) => basename(path)), kilobytes: bytes / 1000 };
}

test('a command loads its own code only', () => {
  const start = loadedBy('--version');
  // Besides the entry, which has commander in it, two small ones with what esbuild needs itself.
  expect(start.files.length).toBeLessThanOrEqual(3);
  expect(start.kilobytes).toBeLessThan(75);
  const list = loadedBy('prog', 'list');
  expect(list.files).toEqual(expect.arrayContaining(start.files));
  expect(list.kilobytes).toBeLessThan(130);
  expect(loadedBy('disasm', '/dev/null').kilobytes).toBeLessThan(90);
});

test.runIf(existsSync('/dev/full'))('a disk that is full is told in one sentence, with status 1', () => {
  const script = '"$0" "$1" completion bash > /dev/full';
  const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, bpf], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: 'bpf: standard output: ENOSPC: no space left on device, write\n',
  });
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
  cpSync(dirname(bpf), folder, { recursive: true });
  const { status, stderr } = run(['iter', 'task'], [], join(folder, 'bpf.cjs'));
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
