import { once } from 'node:events';

/** Writes to standard output, no faster than it is read. */
export async function print(chunks: Iterable<string | Uint8Array> | AsyncIterable<string>): Promise<void> {
  for await (const chunk of chunks) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}

/** One JSON object a line; what is above 2^53 is a string, as JSON's numbers are not exact there. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, (_, field) =>
    typeof field === 'bigint' ? (field >= -MAX && field <= MAX ? Number(field) : String(field)) : field,
  )}\n`;
}

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** A name may be anything, escape sequences included, which are not for the terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (char) => `\\x${char.codePointAt(0)?.toString(16).padStart(2, '0')}`,
  );
}

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

/** The library lays out all rows at once, in a time that grows faster than their number. */
const ROWS_AT_ONCE = 1000;

/** Rows beneath heads, aligned, and cut to the width of a terminal. */
export async function* table(
  columns: readonly Column[],
  rows: readonly (readonly (string | number | bigint)[])[],
): AsyncGenerator<string> {
  // Loaded when needed: it is most of the start-up time of a command.
  const { default: Table } = await import('cli-table3');
  const texts = rows.map((row) => row.map((cell) => printable(String(cell))));
  const widths = columns.map(({ head }, i) =>
    texts.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), head.length),
  );
  // A console that does not know its width says 0.
  const width = process.stdout.isTTY ? process.stdout.columns || undefined : undefined;
  for (let from = 0; from === 0 || from < texts.length; from += ROWS_AT_ONCE) {
    const part = new Table({
      head: from === 0 ? columns.map(({ head }) => head) : [],
      colAligns: columns.map(({ align = 'left' }) => align),
      colWidths: widths.map((width) => width + 2),
      chars: noBorders,
      style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    });
    part.push(...texts.slice(from, from + ROWS_AT_ONCE));
    for (const line of part.toString().split('\n')) yield `${cut(line.trimEnd(), width)}\n`;
  }
}

function cut(line: string, width: number | undefined): string {
  return width === undefined || line.length <= width ? line : `${line.slice(0, Math.max(width - 1, 0))}…`;
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((at) => [side + at, '']),
  ),
);
