import { once } from 'node:events';

/** Writes to standard output, no faster than it is read. */
export async function print(chunks: Iterable<string | Uint8Array>): Promise<void> {
  for (const chunk of chunks) if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
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

/** Rows beneath heads, aligned, and cut to the width of a terminal. */
export async function table(
  columns: readonly Column[],
  rows: readonly (readonly (string | number | bigint)[])[],
): Promise<string> {
  // Loaded when needed: it is most of the start-up time of a command.
  const { default: Table } = await import('cli-table3');
  const made = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
  });
  for (const row of rows) made.push(row.map((cell) => printable(String(cell))));
  const width = process.stdout.isTTY ? process.stdout.columns : undefined;
  return made
    .toString()
    .split('\n')
    .map((line) => `${cut(line.trimEnd(), width)}\n`)
    .join('');
}

function cut(line: string, width: number | undefined): string {
  return width === undefined || line.length <= width ? line : `${line.slice(0, Math.max(width - 1, 0))}…`;
}

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid', 'middle'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((at) => [side + at, '']),
  ),
);
