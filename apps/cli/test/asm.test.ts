import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const bpf = join(import.meta.dirname, '../dist/bpf.cjs');
const text = `// returns the length of a packet, when it is long
  r0 = *(u32 *)(r1 + 0)
  if r0 > 64 goto out
  r0 = 0
  r2 = 0x123456789a ll
  call bpf_ktime_get_ns
out:
  exit
`;
const hex = `6110000000000000
2500040040000000
b700000000000000
180200009a785634
0000000012000000
8500000005000000
9500000000000000
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bpf-asm-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(
  args: string[],
  input: string | Uint8Array = '',
): { status: number | null; stdout: Buffer; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bpf, ...args], { input });
  return { status, stdout, stderr: stderr.toString() };
}

/** What a run printed, which must not have failed. */
function printed(args: string[], input: string | Uint8Array = ''): string {
  const { status, stdout, stderr } = run(args, input);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.toString();
}

function failed(args: string[], input: string | Uint8Array, expected = 1): string {
  const { status, stdout, stderr } = run(args, input);
  expect({ status, stdout: stdout.toString() }).toEqual({ status: expected, stdout: '' });
  return stderr;
}

describe('bpf asm', () => {
  test('a file or standard input to hexadecimal digits', () => {
    const file = join(folder, 'program.s');
    writeFileSync(file, text);
    expect(printed(['asm', file])).toBe(hex);
    expect(printed(['asm', '-'], text)).toBe(hex);
    expect(printed(['asm'], text)).toBe(hex);
    expect(printed(['asm'], '// nothing')).toBe('');
  });

  test('to bytes', () => {
    const { stdout } = run(['asm', '--format', 'raw'], text);
    expect(stdout.toString('hex')).toBe(hex.replaceAll('\n', ''));
  });

  test('to JSON: what the text says, one instruction a line', () => {
    expect(printed(['asm', '--format', 'json'], 'a: r1 = 0x10 ll; r2 = map_fd[counts] ll; goto a').split('\n')).toEqual(
      [
        '{"kind":"label","name":"a"}',
        '{"kind":"lddw","dst":"r1","source":"imm","imm":"0x10"}',
        '{"kind":"lddw","dst":"r2","source":"map_fd","map":"counts"}',
        '{"kind":"goto","op":"ja","target":"a"}',
        '',
      ],
    );
  });

  test('to C', () => {
    expect(printed(['asm', '--format', 'c'], 'r0 = -2147483648; r1 = 1 ll; exit')).toBe(
      `struct bpf_insn prog[] = {
	{ .code = 0xb7, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = -2147483647 - 1 }, /* r0 = -2147483648 */
	{ .code = 0x18, .dst_reg = 1, .src_reg = 0, .off = 0, .imm = 1 }, /* r1 = 0x1 ll */
	{ .code = 0x00, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0 },
	{ .code = 0x95, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0 }, /* exit */
};
`,
    );
  });

  const compiles =
    spawnSync('gcc', ['-fsyntax-only', '-x', 'c', '-'], { input: '#include <linux/bpf.h>\n' }).status === 0;
  if (!compiles) console.log('skipped: C that compiles: no gcc with linux/bpf.h');

  test.skipIf(!compiles)('C that compiles without a warning, and is the same bytes', () => {
    const source = `#include <stdio.h>\n#include <linux/bpf.h>\n${printed(['asm', '--format', 'c'], text)}
int main(void) { return fwrite(prog, sizeof(prog), 1, stdout) != 1; }\n`;
    const binary = join(folder, 'program');
    const { stderr, status } = spawnSync('gcc', ['-Wall', '-Wextra', '-Werror', '-x', 'c', '-', '-o', binary], {
      input: source,
      encoding: 'utf8',
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(spawnSync(binary).stdout.toString('hex')).toBe(hex.replaceAll('\n', ''));
  });

  test('what the README shows', () => {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    const [, block = ''] = /```text\n(\/\/.*?)```/s.exec(readme) ?? [];
    expect(printed(['asm'], block).trimEnd().split('\n')).toHaveLength(29);
  });

  test.each([
    ['r0 = 0\nr1 = q\n', "line 2, column 6: 'q' is no operation\n  r1 = q\n       ^"],
    ['r0 = 0\n  if r0 == 0 goto out\n', "line 2, column 3: 'out' is not a label of this program"],
    ['call bpf_no_such\n', "line 1, column 1: 'bpf_no_such' is neither a helper nor a label of this program"],
    [
      'r1 = map_fd[counts] ll\n',
      "line 1, column 1: map 'counts' has no number here: give its file descriptor, as map_fd[3], or use --format json",
    ],
  ])('%j is told with its place, and status 1', (input, message) => {
    expect(failed(['asm'], input)).toBe(`bpf: standard input: ${message}\n`);
  });

  test('a file that is missing, and a format that is unknown', () => {
    expect(failed(['asm', join(folder, 'missing')], '')).toMatch(
      /^bpf: ENOENT: no such file or directory.*missing'\n$/,
    );
    expect(failed(['asm', '--format', 'elf'], '', 2)).toBe(
      "bpf: option '--format <format>' argument 'elf' is invalid. Allowed choices are hex, raw, json, c.\n",
    );
  });
});

describe('bpf disasm', () => {
  const out = `  r0 = *(u32 *)(r1 + 0)
  if r0 > 64 goto L6
  r0 = 0
  r2 = 0x123456789a ll
  call bpf_ktime_get_ns
L6:
  exit
`;

  test('digits with any white space, or bytes, to text', () => {
    const file = join(folder, 'program.hex');
    writeFileSync(file, hex);
    expect(printed(['disasm', file])).toBe(out);
    expect(printed(['disasm'], hex.replace(/../g, '$& ').toUpperCase())).toBe(out);
    expect(printed(['disasm', '-', '--input', 'raw'], Buffer.from(hex.replaceAll('\n', ''), 'hex'))).toBe(out);
    expect(printed(['disasm'], '\n')).toBe('');
  });

  test('to JSON, one instruction a line', () => {
    expect(printed(['disasm', '--format', 'json'], '180200009a785634 0000000012000000 9500000000000000')).toBe(
      '{"kind":"lddw","dst":"r2","source":"imm","imm":"0x123456789a"}\n{"kind":"exit"}\n',
    );
  });

  test('its text is what asm takes, whatever the bytes', () => {
    const bytes = Uint8Array.from({ length: 8 * 4096 }, (_, i) => (i * 7919 + (i >> 3) * 104_729) & 0xff);
    expect(run(['asm', '--format', 'raw'], printed(['disasm', '--input', 'raw'], bytes)).stdout).toEqual(
      Buffer.from(bytes),
    );
  });

  test.each([
    ['b7000000\n00zz0000', 'line 2, column 3: "z" is no hexadecimal digit (--input raw reads bytes)'],
    ['b700000000000000\nb700\n', 'line 2, column 5: the last instruction slot has 4 digits of 16'],
  ])('%j is told with its place, and status 1', (input, message) => {
    expect(failed(['disasm'], input)).toBe(`bpf: standard input: ${message}\n`);
  });

  test('bytes that are not whole slots', () => {
    expect(failed(['disasm', '--input', 'raw'], 'Hello, world')).toBe(
      'bpf: standard input: byte 8: 4 bytes are left over; an instruction slot has 8\n',
    );
  });
});
