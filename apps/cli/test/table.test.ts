import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { type Column, table } from '../src/table.ts';
import { cut, printable, widthOf } from '../src/terminal.ts';

const columns: Column[] = [{ head: 'ID', align: 'right' }, { head: 'NAME' }, { head: 'WHY' }];
const lines = (rows: Iterable<(string | number)[]>, width?: number): string[] =>
  [...table(columns, rows, width)].map(stripVTControlCharacters);

test('columns are as wide as what is in them, and numbers stand to the right', () => {
  expect(
    lines([
      [7, 'a', 'x'],
      [1234, 'longer', ''],
    ]),
  ).toEqual(['  ID  NAME    WHY\n', '   7  a       x\n', '1234  longer\n']);
  expect(lines([])).toEqual(['ID  NAME  WHY\n']);
});

test('what is wider than the terminal is cut in the widest column, and no line is longer', () => {
  const rows = [
    [123456, 'bpf_iter_task_file', 'this kernel has none of them'],
    [1, 'short', 'because'],
  ];
  expect(lines(rows, 40)).toEqual([
    '    ID  NAME             WHY\n',
    '123456  bpf_iter_task_…  this kernel ha…\n',
    '     1  short            because\n',
  ]);
  for (let width = 1; width < 60; width++)
    for (const line of lines(rows, width))
      expect(widthOf(line.trimEnd()), `${width}: ${line}`).toBeLessThanOrEqual(width);
});

test('the first rows are there before the last is made, and wider ones that follow are not cut', () => {
  let made = 0;
  function* rows(): Generator<(string | number)[]> {
    for (; made < 5000; made++) yield [made, made === 4000 ? 'n'.repeat(30) : 'name', 'why'];
  }
  const output = table(columns, rows(), undefined);
  expect(output.next().value).toBe(' ID  NAME  WHY\n');
  expect(made).toBeLessThan(1001);
  const rest = [...output];
  expect(rest).toHaveLength(5000);
  expect(rest[4000]).toBe(`4000  ${'n'.repeat(30)}  why\n`);
});

test('who stops early ends what the rows come from', () => {
  let ended = false;
  function* rows(): Generator<(string | number)[]> {
    try {
      for (let i = 0; ; i++) yield [i, '', ''];
    } finally {
      ended = true;
    }
  }
  for (const line of table(columns, rows(), undefined)) if (line) break;
  expect(ended).toBe(true);
});

test('widths are those of a terminal: characters that take two columns, or none', () => {
  expect(widthOf('数据')).toBe(4);
  expect(cut('数据库', 5)).toBe('数据…');
  expect(cut('数据库', 4)).toBe('数…');
  expect(cut('abc', 3)).toBe('abc');
  expect(cut('abcd', 3)).toBe('ab…');
  expect(lines([[1, '数据', 'x']])[1]).toBe(' 1  数据  x\n');
});

test('no name writes to the terminal', () => {
  expect(printable('a\x1b[2J\nb\u202e')).toBe('a\\x1b[2J\\x0ab\\x202e');
  expect(lines([[1, '\x1b[31m', 'x']])[1]).toBe(' 1  \\x1b[31m  x\n');
});
