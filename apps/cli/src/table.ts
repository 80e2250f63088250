import { cut, printable, styled, terminalWidth, widthOf } from './terminal.ts';

export interface Column {
  readonly head: string;
  /** Numbers go to the right, and are never cut. */
  readonly align?: 'left' | 'right';
}

type Cell = string | number | bigint;

/** The widths are those of so many rows: the first is printed before the last is known. */
const MEASURED_ROWS = 1000;
const GAP = '  ';
/** A column is not made narrower than this, or its head. */
const MIN_WIDTH = 8;

/**
 * Rows beneath heads, aligned, as they come. On a terminal, what is too wide for it is cut, in the widest column first.
 *
 * @param width columns of the terminal; undefined for as wide as it gets
 */
export function* table(
  columns: readonly Column[],
  rows: Iterable<readonly Cell[]>,
  width: number | undefined = terminalWidth(),
): Generator<string> {
  let first: string[][] | undefined = [];
  let toLine: ToLine | undefined;
  for (const row of rows) {
    const cells = row.map((cell) => printable(String(cell)));
    if (first === undefined) yield `${toLine?.(cells)}\n`;
    else if (first.push(cells) === MEASURED_ROWS) {
      toLine = layOut(columns, first, width);
      yield* begin(columns, first, toLine);
      first = undefined;
    }
  }
  if (first) yield* begin(columns, first, layOut(columns, first, width));
}

type ToLine = (cells: readonly string[]) => string;

function* begin(columns: readonly Column[], rows: readonly string[][], toLine: ToLine): Generator<string> {
  yield `${styled('bold', toLine(columns.map(({ head }) => head)))}\n`;
  for (const row of rows) yield `${toLine(row)}\n`;
}

function layOut(columns: readonly Column[], rows: readonly string[][], width: number | undefined): ToLine {
  const wanted = columns.map(({ head }, i) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[i] ?? '')), head.length),
  );
  const widths = width === undefined ? wanted : shrink(columns, wanted, width);
  const narrowed = widths.some((width, i) => width !== wanted[i]);
  return (cells) => {
    const line = columns.map(({ align }, i) => {
      const [cell = '', width = 0] = [cells[i], widths[i]];
      return pad(narrowed && align !== 'right' ? cut(cell, width) : cell, width, align);
    });
    const text = line.join(GAP).trimEnd();
    return width === undefined ? text : cut(text, width);
  };
}

/** Takes from the widest column what is too much, as long as columns remain wide enough to be read. */
function shrink(columns: readonly Column[], wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  const least = columns.map(({ head, align }, i) =>
    align === 'right' ? (wanted[i] ?? 0) : Math.max(MIN_WIDTH, head.length),
  );
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
  while (total() > width) {
    const spare = widths.map((width, i) => (width > (least[i] ?? 0) ? width : 0));
    const most = Math.max(...spare);
    if (most === 0) break;
    widths[spare.indexOf(most)] = most - 1;
  }
  return widths;
}

function pad(text: string, width: number, align: Column['align']): string {
  const blank = ' '.repeat(Math.max(width - widthOf(text), 0));
  return align === 'right' ? `${blank}${text}` : `${text}${blank}`;
}
