import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An instruction in LLVM's words and in bytes; undefined when this LLVM does not know it. */
export type Known = { readonly text: string; readonly hex: string } | undefined;

const TARGET = ['-triple', 'bpfel', '-mcpu', 'v4'];

/** The version of the LLVM on the PATH, when it has the BPF target. */
export function llvmVersion(): string | undefined {
  const { stdout, error } = spawnSync('llvm-mc', ['--version'], { encoding: 'utf8' });
  return !error && /^ *bpfel /m.test(stdout) ? /LLVM version (\S+)/.exec(stdout)?.[1] : undefined;
}

/** Assembles lines of one instruction each. */
export function llvmAssemble(lines: readonly string[]): Known[] {
  const { stdout, stderr } = llvmMc([...cpu(), '-show-encoding'], lines.join('\n'));
  const unknown = failedLines(stderr);
  const known = [...stdout.matchAll(/^\t(.*?) *(?:#|\/\/) encoding: \[(.*)\]$/gm)].map(([, text = '', bytes = '']) => ({
    text: text.trim(),
    hex: bytes.replace(/0x|,/g, ''),
  }));
  return lines.map((_, line) => (unknown.has(line + 1) ? undefined : known.shift()));
}

/** Disassembles instructions, each given in hexadecimal digits. */
export function llvmDisassemble(hex: readonly string[], options: readonly string[] = []): (string | undefined)[] {
  const lines = hex.map((digits) => digits.replace(/../g, ' 0x$&'));
  const { stdout, stderr } = llvmMc([...cpu(), '-disassemble', ...options], lines.join('\n'));
  const unknown = failedLines(stderr);
  const texts = stdout.split('\n').filter((line) => /^\t(?!\.text)/.test(line));
  return lines.map((_, line) => (unknown.has(line + 1) ? undefined : texts.shift()?.trim()));
}

/** The bytes that a whole program becomes, labels resolved, as llvm-objdump reads them from the object file. */
export function llvmObject(program: string): { readonly hex: string; readonly text: string } {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-text-'));
  try {
    writeFileSync(join(folder, 'program.s'), program);
    const { stderr, status } = spawnSync(
      'llvm-mc',
      [...cpu(), '-filetype', 'obj', '-o', join(folder, 'program.o'), join(folder, 'program.s')],
      { encoding: 'utf8' },
    );
    if (status !== 0) throw new Error(stderr);
    const { stdout } = spawnSync('llvm-objdump', ['-d', join(folder, 'program.o')], { encoding: 'utf8' });
    const lines = [...stdout.matchAll(/^ *[0-9a-f]+:\s+((?:[0-9a-f]{2}[ \t])+)[ \t]*(.*)$/gm)];
    return {
      hex: lines.map(([, bytes = '']) => bytes.replace(/\s/g, '')).join(''),
      text: lines.map(([, , text = '']) => text.replace(/ <.*>$/, '')).join('\n'),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

let target: string[] | undefined;

/** Old ones know no v4. */
function cpu(): string[] {
  target ??= /is not a recognized processor/.test(llvmMc(TARGET, 'exit').stderr)
    ? ['-triple', 'bpfel', '-mcpu', 'v3']
    : TARGET;
  return target;
}

function llvmMc(args: readonly string[], input: string): { stdout: string; stderr: string } {
  const { stdout, stderr, error } = spawnSync('llvm-mc', args, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (error) throw error;
  return { stdout, stderr };
}

function failedLines(stderr: string): ReadonlySet<number> {
  return new Set([...stderr.matchAll(/^<stdin>:(\d+):\d+: (?:error|warning)/gm)].map(([, line]) => Number(line)));
}

/** What was recorded with the newest LLVM: our text, the bytes, and LLVM's own text where that is another. */
export interface Recorded {
  readonly origin: string;
  readonly vectors: readonly (readonly [ours: string, hex: string, theirs?: string])[];
}

const RECORDED = join(import.meta.dirname, 'llvm-vectors.json');

export const recorded: () => Recorded = () => JSON.parse(readFileSync(RECORDED, 'utf8')) as Recorded;

export function record(value: Recorded): void {
  const lines = value.vectors.map((vector) => `    ${JSON.stringify(vector).replaceAll('","', '", "')}`);
  const text = `{\n  "origin": ${JSON.stringify(value.origin)},\n  "vectors": [\n${lines.join(',\n')}\n  ]\n}\n`;
  writeFileSync(RECORDED, text);
}
