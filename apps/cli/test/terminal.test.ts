import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { widthOf } from '../src/terminal.ts';

const bpf = join(import.meta.dirname, '../dist/bpf.cjs');
const node = `${process.execPath} ${bpf}`;
const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, ...environment } = process.env;
const env = { ...environment, TERM: 'xterm-256color' };

/** What a command line prints on a terminal of its own, with so many columns. */
function onTerminal(columns: number, command: string, more: Readonly<Record<string, string>> = {}): string {
  const line = `stty cols ${columns} rows 24; ${command}`;
  // script(1) of util-linux makes the terminal.
  const { stdout, status } = spawnSync('script', ['-qec', line, '/dev/null'], {
    encoding: 'utf8',
    env: { ...env, ...more },
    input: '',
  });
  expect(status).toBe(0);
  return stdout.replaceAll('\r\n', '\n');
}

const piped = (args: string[], more: Readonly<Record<string, string>> = {}): string =>
  spawnSync(process.execPath, [bpf, ...args], { encoding: 'utf8', env: { ...env, ...more } }).stdout;

const ESC = '\x1b[';
const hasScript = spawnSync('script', ['-qec', 'true', '/dev/null'], { input: '' }).status === 0;
if (!hasScript) console.log('skipped: output on a terminal: script(1) of util-linux is not there');

describe.runIf(hasScript)('on a terminal', () => {
  test.each([40, 60, 80, 200])('no line of a table is wider than its %i columns', (columns) => {
    const lines = stripVTControlCharacters(onTerminal(columns, `${node} features`))
      .trimEnd()
      .split('\n');
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) expect(widthOf(line), line).toBeLessThanOrEqual(columns);
    expect(lines[0]).toMatch(/^KIND +NAME +HERE/);
  });

  test('one that does not know its width is as wide as COLUMNS says', () => {
    const lines = stripVTControlCharacters(onTerminal(0, `${node} features`, { COLUMNS: '33' }))
      .trimEnd()
      .split('\n');
    expect(Math.max(...lines.map(widthOf))).toBe(33);
  });

  test('heads are bold, unless NO_COLOR is set', () => {
    expect(onTerminal(80, `${node} features`).startsWith(`${ESC}1mKIND`)).toBe(true);
    expect(onTerminal(80, `${node} features`, { NO_COLOR: '1' })).not.toContain(ESC);
    expect(onTerminal(80, `${node} --help`)).toContain(`${ESC}1mOptions:`);
    expect(onTerminal(80, `${node} --help`, { NO_COLOR: '1' })).not.toContain(ESC);
  });

  test('the count of what goes to a file, once it takes its time, is on the terminal and goes away again', () => {
    const module = join(import.meta.dirname, '../src/progress.ts');
    const script = `
      const { counted } = await import(${JSON.stringify(module)});
      let now = 0;
      performance.now = () => (now += 10);
      for (const n of counted(Array(30_000).keys(), 'entries')) if (n % 10_000 === 0) process.stdout.write(n + '\\n');`;
    const run = `${process.execPath} --import tsx --input-type=module -e '${script.replaceAll("'", '"')}'`;
    const shown = onTerminal(80, `${run} > /dev/null`);
    expect(shown.split(`\r${ESC}K`).filter((text) => !/^\d+ entries$/.test(text))).toEqual(['', '']);
    expect(shown).toContain(' entries');
    expect(onTerminal(80, run)).toBe('0\n10000\n20000\n');
  });
});

describe('piped', () => {
  test('nothing is coloured, unless FORCE_COLOR is set, and nothing is cut', () => {
    const text = piped(['features']);
    expect(text).not.toContain(ESC);
    expect(text).not.toContain('…');
    expect(piped(['features'], { COLUMNS: '40' })).toBe(text);
    expect(piped(['features'], { FORCE_COLOR: '1' }).startsWith(`${ESC}1mKIND`)).toBe(true);
    expect(piped(['--help'])).not.toContain(ESC);
  });
});
