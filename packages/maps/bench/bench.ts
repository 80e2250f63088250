// `npm run bench`: what maps cost from JavaScript beside C, in turn: medians of several rounds. Wants root and gcc.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { u32, u64 } from '@bpf/btf/data';
import { createMap } from '../src/index.ts';

const ENTRIES = 10_000;
const MANY = 100_000;
const PASSES = 10;
const ROUNDS = 9;

using typed = createMap({ type: 'hash', key: u32, value: u64, maxEntries: ENTRIES });
using bytes = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: ENTRIES });
using many = createMap({ type: 'hash', key: u32, value: u64, maxEntries: MANY });
using array = createMap({ type: 'array', value: u64, maxEntries: ENTRIES, flags: ['mmapable'] });
using live = array.mmap();
// As C writes them: numbers into the memory that the call is given.
const keyWord = new Uint32Array(1);
const valueWords = new Uint32Array(2);
const [key, value] = [new Uint8Array(keyWord.buffer), new Uint8Array(valueWords.buffer)];
const bigints = Array.from({ length: ENTRIES }, (_, i) => BigInt(i));
const fillTyped = (): void => bigints.forEach((value, i) => void typed.set(i, value));
const fillBytes = (): void => bigints.forEach((_, i) => void setBytes(i));
fillTyped();
fillBytes();
for (let i = 0; i < MANY; i++) many.set(i, BigInt(i));

function each(job: (i: number) => unknown, before: () => void = () => {}): number {
  let time = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    before();
    const start = performance.now();
    for (let i = 0; i < ENTRIES; i++) if (job(i) === undefined) throw new Error('an operation failed');
    time += performance.now() - start;
  }
  return (time * 1e6) / ENTRIES / PASSES;
}

function getBytes(i: number): Uint8Array | undefined {
  keyWord[0] = i;
  return bytes.get(key);
}

function setBytes(i: number): boolean {
  keyWord[0] = i;
  valueWords[0] = i;
  return bytes.set(key, value);
}

function deleteBytes(i: number): boolean {
  keyWord[0] = i;
  return bytes.delete(key);
}

function iterate(): number {
  let seen = 0;
  let sum = 0;
  const start = performance.now();
  for (let pass = 0; pass < PASSES; pass++)
    for (const [key, value] of many) {
      seen++;
      sum += key + Number(value);
    }
  if (sum !== PASSES * MANY * (MANY - 1)) throw new Error('entries are missing');
  return ((performance.now() - start) * 1e6) / seen;
}

function mapped(): number {
  const { u32: words } = live;
  let sum = 0;
  const start = performance.now();
  for (let pass = 0; pass < PASSES * 100; pass++)
    for (let i = 0, at = 0; i < 8192; i++) {
      at = (at * 5 + 1) & 8191;
      sum += (words[at * 2] as number) + (words[at * 2 + 1] as number) * 2 ** 32;
    }
  if (sum !== 0) throw new Error('the values are not zero');
  return ((performance.now() - start) * 1e6) / 8192 / PASSES / 100;
}

/** Each by the name of C's job; the goal is nanoseconds more than C, or times C. */
const jobs: readonly (readonly [name: string, c: string, goal: string, job: () => number])[] = [
  ['get, typed', 'lookup', '+150', () => each((i) => typed.get(i))],
  ['get, bytes', 'lookup', '+110', () => each(getBytes)],
  ['set, typed', 'update', '+150', () => each((i) => typed.set(i, bigints[i] as bigint))],
  ['set, bytes', 'update', '+110', () => each(setBytes)],
  ['delete, typed', 'delete', '+150', () => each((i) => typed.delete(i), fillTyped)],
  ['delete, bytes', 'delete', '+110', () => each(deleteBytes, fillBytes)],
  ['entries, typed', 'iterate', 'x 2', iterate],
  ['mapped u64', 'mapped read', 'x 2', mapped],
];

const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
try {
  const program = join(folder, 'elem');
  execFileSync('gcc', ['-O2', '-o', program, join(import.meta.dirname, '../../packages/sys/bench/elem.c')]);
  const inC = (job: string): number => Number(execFileSync(program, [job], { encoding: 'utf8' }));
  const columns = ['C', 'here', 'added', 'ratio', 'goal'];
  console.log(`${''.padEnd(16)}${columns.map((column) => column.padStart(8)).join('')}`);
  for (const [name, cJob, goal, job] of jobs) {
    job();
    const [c, js]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      c.push(inC(cJob));
      js.push(job());
    }
    const [a, b] = [median(c), median(js)];
    const digits = a < 10 ? 2 : 0;
    const cells = [a.toFixed(digits), b.toFixed(digits), (b - a).toFixed(digits), (b / a).toFixed(2), goal];
    console.log(`${name.padEnd(16)}${cells.map((cell) => cell.padStart(8)).join('')}`);
  }
  console.log('\nnanoseconds for one operation or entry');
} finally {
  rmSync(folder, { recursive: true });
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}
