// `npm run bench`: nanoseconds per instruction, over a million instructions each, the median of several rounds. Bundled first,
// because tsx keeps the names of functions at the cost of a call for each function that is made.
import { assemble, decode } from '../src/index.ts';
import { format, parse } from '../src/text/index.ts';
import { fillInC } from './c.ts';
import { build, COUNT } from './program.ts';

const INSTRUCTIONS = 1_000_000;
const ROUNDS = 11;

/** Results go here, so that no engine may leave the work out. */
export let kept: unknown;

const program = build();
const bytes = assemble(program);
const text = format(program);
const tasks: Record<string, () => unknown> = {
  marshal: () => assemble(program),
  'build + marshal': () => assemble(build()),
  decode: () => decode(bytes),
  format: () => format(program),
  parse: () => parse(text),
};

const c = fillInC();
if (typeof c === 'string') console.log(`no comparison with C: ${c}\n`);
else console.log(`${'C, filling struct bpf_insn'.padEnd(27)}${c.toFixed(1).padStart(7)} ns per instruction\n`);
for (const [name, task] of Object.entries(tasks)) {
  const ns = measure(task);
  const compared =
    typeof c === 'number' ? `${(ns / c).toFixed(1).padStart(9)} times C, +${(ns - c).toFixed(1)} ns` : '';
  console.log(`${name.padEnd(27)}${ns.toFixed(1).padStart(7)} ns per instruction${compared}`);
}

/** The median over rounds of a million instructions, after one round to warm up. */
function measure(task: () => unknown): number {
  const times: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const start = performance.now();
    for (let done = 0; done < INSTRUCTIONS; done += COUNT) kept = task();
    times.push(((performance.now() - start) * 1e6) / INSTRUCTIONS);
  }
  return times.slice(1).sort((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN;
}
