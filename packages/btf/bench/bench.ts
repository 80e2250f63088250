// `npm run bench`: milliseconds beside libbpf and bpftool, in turn, on the running kernel's BTF. The median of several rounds.
// Bundled first, because tsx keeps the names of functions at the cost of a call for each function that is made.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseBtf } from '../src/index.ts';
import { dump, type Where, whyNoDump } from './dump.ts';
import { cold, KERNEL, lookUp, type Memory, memory, namesAsArguments, open, spreadNames, strings } from './jobs.ts';
import { compileLibbpf } from './libbpf.ts';

const ROUNDS = 15;
const NAMES = 100;

if (process.argv[2] === 'memory') console.log(JSON.stringify(memory(JSON.parse(process.argv[3] ?? ''))));
else bench(mkdtempSync(join(tmpdir(), 'bpf-bench-')));

function bench(folder: string): void {
  const bytes = open();
  const btf = parseBtf(bytes);
  const names = spreadNames(btf, NAMES);
  try {
    console.log(`Node ${process.version}, ${btf.count} types in ${megabytes(bytes.length)}\n`);
    row('', 'ours', 'libbpf', 'ratio', 'goal');
    const libbpf = compileLibbpf(folder);
    const args = namesAsArguments(names);
    /** Rounds of both in turn; theirs is in nanoseconds. */
    const compare = (what: string, goal: string, ours: () => number, job: readonly string[]): void => {
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round <= ROUNDS; round++) {
        const theirs = typeof libbpf === 'string' ? undefined : libbpf(...job);
        const start = performance.now();
        const sum = ours();
        times[0].push(performance.now() - start);
        if (theirs && theirs.sum !== sum) throw new Error(`${what}: ${sum} is not libbpf's ${theirs.sum}`);
        if (theirs) times[1].push(theirs.value / 1e6);
      }
      // The first is to warm up.
      const [own, their] = times.map((list) => median(list.slice(1)));
      compared(what, own as number, their as number, milliseconds, goal);
    };
    compare('open, 6 members', '<= 0.3', () => cold(open()), ['cold']);
    compare('the same, file read, not mapped', '', () => cold(readFileSync(KERNEL)), ['cold']);
    compare('open, all types', '<= 0.43', () => parseBtf(open()).count, ['pass']);
    compare('all types as objects, with names', '', () => strings(btf), ['strings']);
    compare(`${NAMES} look-ups, first`, '', () => lookUp(parseBtf(bytes), names), ['names', ...args]);
    compare(`${NAMES} look-ups, again`, '<= 0.02', () => lookUp(btf, names), ['names', ...args]);

    const child = [...process.argv.slice(1, 2), 'memory', JSON.stringify(names)];
    const added: Memory = JSON.parse(execFileSync(process.execPath, ['--expose-gc', ...child], { encoding: 'utf8' }));
    const theirs = typeof libbpf === 'string' ? Number.NaN : libbpf('memory', ...args).value;
    compared('memory added: objects', added.counted, theirs, megabytes, '<= 6 MB');
    compared('memory added: anonymous pages', added.anonymous, Number.NaN, megabytes, '<= 6 MB');
    compared('memory added: all resident pages', added.resident, Number.NaN, megabytes, '');
    if (typeof libbpf === 'string') console.log(`\n${libbpf}`);

    const why = whyNoDump(folder);
    if (why) console.log(`\n${why}`);
    else {
      console.log();
      row('process', 'bpf', 'bpftool', 'ratio', 'goal');
      for (const where of ['file', 'pipe', '/dev/null'] as const) compareDumps(where, folder);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compareDumps(where: Where, folder: string): void {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(dump('theirs', where, folder));
    ours.push(dump('ours', where, folder));
  }
  compared(`raw dump to ${where}`, median(ours), median(theirs), milliseconds, '<= 1');
}

function compared(what: string, ours: number, theirs: number, unit: (value: number) => string, goal: string): void {
  const their = Number.isNaN(theirs) ? ['-', '-'] : [unit(theirs), (ours / theirs).toPrecision(2)];
  row(what, unit(ours), their[0] as string, their[1] as string, goal);
}

function row(what: string, ...cells: readonly string[]): void {
  console.log(what.padEnd(34) + cells.map((cell) => cell.padStart(11)).join(''));
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`;
}

function megabytes(value: number): string {
  return `${(value / 1e6).toFixed(1)} MB`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
