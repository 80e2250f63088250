// `npm run bench`: how long the command takes from its start to its end, beside a Node that does nothing, in turn. Medians.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 41;
const bpf = join(import.meta.dirname, '../dist/bpf.cjs');

/** What is run, and how many times an empty Node it may take. */
const runs: readonly (readonly [args: readonly string[], goal: string])[] = [
  [['--version'], '<= 1.3'],
  [['prog', 'list'], '<= 1.5'],
  [['--help'], ''],
  [['btf', 'type', 'task_struct'], ''],
];

// Certificates that someone adds take longer to load than Node.
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;

function time(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return performance.now() - start;
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;

const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
try {
  const nothing = join(folder, 'nothing.cjs');
  writeFileSync(nothing, '');
  const empty: number[] = [];
  const times = runs.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    empty.push(time([nothing]));
    runs.forEach(([args], i) => void times[i]?.push(time([bpf, ...args])));
  }
  const base = median(empty);
  const row = (...cells: readonly string[]): void =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(10))).join(''));
  row(`Node ${process.version}`, 'ms', 'ratio', 'goal');
  row('an empty file', base.toFixed(1), '1');
  runs.forEach(([args, goal], i) => {
    const own = median(times[i] ?? []);
    row(`bpf ${args.join(' ')}`, own.toFixed(1), (own / base).toFixed(2), goal);
  });
} finally {
  rmSync(folder, { recursive: true });
}
