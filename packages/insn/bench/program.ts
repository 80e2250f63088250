import {
  add,
  add32,
  and,
  call,
  exit,
  type Insn,
  jeq,
  jne,
  jsgt,
  label,
  lddw,
  ldx,
  lsh,
  mov,
  mov32,
  rsh,
  st,
  stx,
  sub,
  xor,
} from '../src/index.ts';

/** Blocks of twenty instructions in a program. */
const BLOCKS = 50;

/** Made beforehand: most programs have them as literals. */
const labels: string[] = Array.from({ length: BLOCKS + 1 }, (_, i) => `block${i}`);

/** The instructions of a program: labels are none, wide ones count once, as in the benchmarks of cilium/ebpf. */
export const COUNT: number = 20 * BLOCKS + 1;

/**
 * A program of a thousand instructions like those that compilers make: arithmetic on registers and immediates, loads and
 * stores, jumps to labels, a call and a 64-bit constant in every block of twenty.
 */
export function build(): Insn[] {
  const program: Insn[] = [];
  for (let i = 0; i < BLOCKS; i++) {
    const [here = '', next = ''] = labels.slice(i, i + 2);
    program.push(
      label(here),
      mov('r6', 'r1'),
      ldx('w', 'r2', 'r6', 4),
      ldx('dw', 'r7', 'r10', -8),
      add('r2', i),
      and('r2', 0xff),
      jeq('r2', 0, next),
      lddw('r3', 0x1234_5678_9abc_def0n),
      xor('r7', 'r3'),
      stx('dw', 'r10', 'r7', -16),
      st('w', 'r10', -20, i),
      mov('r1', 'r10'),
      add('r1', -16),
      mov32('r2', 8),
      call(7),
      jsgt('r0', -1, next),
      lsh('r0', 32),
      rsh('r0', 32),
      add32('r7', 'r0'),
      sub('r7', 'r6'),
      jne('r7', 'r0', next),
    );
  }
  program.push(label(labels[BLOCKS] ?? ''), exit());
  return program;
}
