import type { Command } from 'commander';
import type { Shell } from '../choices.ts';
import { print } from '../output.ts';
import { printable } from '../terminal.ts';
import { candidates } from './candidates.ts';
import { scripts } from './scripts.ts';
import { values } from './values.ts';

/** `bpf completion`. */
export async function printScript(shell: Shell): Promise<void> {
  await print([scripts[shell]]);
}

/** `bpf complete`, which the scripts ask. */
export function completer(bpf: Command): (words: readonly string[]) => Promise<void> {
  return async (words) => {
    const found = candidates(bpf, words, values);
    await print(found.map(({ value, description }) => `${printable(value)}\t${description.split('\n', 1)[0]}\n`));
  };
}
