import { readFileSync } from 'node:fs';
import type { SourceLocation } from '@bpf/insn';

/** The text of the line that a place is in. */
export type Quote = (at: SourceLocation) => string;

/**
 * Reads the lines of source files, each file once. Where that fails, the place has no text.
 *
 * @param most characters of a line
 */
export function createQuote(most: number): Quote {
  const files = new Map<string, readonly string[]>();
  return ({ file, line, column }) => {
    let lines = files.get(file);
    if (!lines) {
      lines = readLines(file);
      files.set(file, lines);
    }
    const text = lines[line - 1] ?? '';
    // Of the one line of a bundle, what stands there.
    const shown = text.length > most ? text.slice(Math.max(column - 1, 0)).slice(0, most) : text;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced.
    return shown.replace(/[\x00-\x1f\x7f]+/g, ' ').trim();
  };
}

function readLines(file: string): readonly string[] {
  try {
    return readFileSync(file.startsWith('file:') ? new URL(file) : file, 'utf8').split('\n');
  } catch {
    return [];
  }
}
