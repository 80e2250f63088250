import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { captureSource, exit, type Insn, ldx, mov, type Program } from '../src/index.ts';

/** Where a piece of this file stands. */
function place(text: string): { file: unknown; line: number; column: number } {
  const lines = readFileSync(import.meta.filename, 'utf8').split('\n');
  const line = lines.findIndex((candidate) => candidate.includes(text));
  const file = expect.stringMatching(/packages\/insn\/test\/source\.test\.ts$/);
  return { file, line: line + 1, column: (lines[line] as string).indexOf(text) + 1 };
}

test('nothing is remembered unless asked for', () => {
  expect(mov('r0', 0)).toEqual({ kind: 'alu', op: 'mov', bits: 64, dst: 'r0', src: 0 });
  expect('at' in mov('r0', 0)).toBe(false);
});

test('each instruction remembers the call that made it', () => {
  const program: Insn[] = captureSource(() => [
    mov('r3', 'r2'), // a line of its own
    ldx('w', 'r4', 'r1', 16),
  ]);
  expect(program.map(({ at }) => at)).toEqual([place("mov('r3', 'r2'), //"), place("ldx('w', 'r4', 'r1', 16),")]);
});

test('an instruction that a function makes is where its own call is', () => {
  const returnZero = (): Program => [mov('r9', 0), exit()];
  const [first] = captureSource(returnZero) as Insn[];
  expect(first?.at).toEqual(place("mov('r9', 0), exit()"));
});

test('capturing nests, and ends with an error too', () => {
  captureSource(() => captureSource(() => exit()));
  expect(() =>
    captureSource(() => {
      throw new Error('no');
    }),
  ).toThrow('no');
  expect('at' in exit()).toBe(false);
});
