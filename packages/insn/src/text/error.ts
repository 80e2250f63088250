import { InsnError, type InsnErrorCode } from '../error.ts';
import { SHOWN } from './chars.ts';

/** A text that is no program: the message says what was expected, and shows the line with a caret under the place. */
export class TextError extends InsnError {
  /** From 1. */
  readonly line: number;
  /** In UTF-16 units, from 1. */
  readonly column: number;

  constructor(code: InsnErrorCode, message: string, text: string, at: number) {
    const { line, column, shown } = place(text, at);
    super(code, `line ${line}, column ${column}: ${message}\n${shown}`);
    this.line = line;
    this.column = column;
  }
}

function place(text: string, at: number): { line: number; column: number; shown: string } {
  const { line, column } = positionAt(text, at);
  const lineStart = at - column + 1;
  const lineEnd = text.indexOf('\n', at);
  const from = Math.max(lineStart, at - SHOWN / 2);
  const to = Math.min(lineEnd < 0 ? text.length : lineEnd, from + SHOWN);
  // Tabs would move the caret; other control characters are not for a terminal.
  const quoted = text.slice(from, to).replace(/[\p{Cc}\p{Cf}]/gu, ' ');
  return { line, column, shown: `  ${quoted.trimEnd()}\n  ${' '.repeat(at - from)}^` };
}

/** The line and column of a place in a text, both from 1. */
function positionAt(text: string, at: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', start)) {
    line++;
    start = end + 1;
  }
  return { line, column: at - start + 1 };
}
