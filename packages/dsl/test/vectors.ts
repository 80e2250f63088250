import { spawnSync } from 'node:child_process';
import { assemble, type Program } from '@bpf/insn';
import { expect, test } from 'vitest';

/** A sequence, the bytes that it must be, which were recorded with LLVM and tried on kernels, and its text for llvm-mc. */
export type Vector = readonly [name: string, program: Program, bytes: string, text: string];

export const hex = (program: Program): string =>
  Array.from(assemble(program, { maps: { stop: 42 } }), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/.{16}(?=.)/g, '$& ');

/** Registers a test for each, and one that compares all of them with what llvm-mc says, where it is on the path. */
export function testVectors(vectors: readonly Vector[]): void {
  test.each(vectors)('%s', (_, program, bytes) => {
    expect(hex(program)).toBe(bytes);
  });

  const hasLlvm = spawnSync('llvm-mc', ['--version']).status === 0;

  test.skipIf(!hasLlvm)('llvm-mc says the same', () => {
    const text = vectors.map(([, , , text]) => text.replaceAll('; ', '\n')).join('\n');
    const { stdout, stderr } = spawnSync('llvm-mc', ['-triple=bpfel', '-mcpu=v3', '-show-encoding'], {
      input: text,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    const encoded = [...stdout.matchAll(/encoding: \[(.*)\]|\.byte\t(\d+)/g)].map(([, instruction, byte]) =>
      instruction === undefined ? Number(byte).toString(16).padStart(2, '0') : instruction.replaceAll(/0x|,/g, ''),
    );
    expect(encoded.join('')).toBe(vectors.map(([, , bytes]) => bytes.replaceAll(' ', '')).join(''));
  });
}
