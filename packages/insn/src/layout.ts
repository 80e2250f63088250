import { refuse } from './error.ts';
import type { Insn, Program } from './insn.ts';

/** The number of slots that an instruction takes. */
export function slotsOf({ kind }: Insn): 0 | 1 | 2 {
  return kind === 'label' ? 0 : kind === 'lddw' ? 2 : 1;
}

/** The number of instruction slots that a program takes: wide instructions count as two, labels as none. */
export function slotCount(program: Program): number {
  return layOut(flatten(program)).slots;
}

/** The instructions of a program in order, without its nesting. */
export function flatten(program: Program): Insn[] {
  // Most programs are flat already: a copy is much faster.
  return program.some(Array.isArray) ? (program as Insn[]).flat(Infinity) : [...(program as Insn[])];
}

/** The slot that each label names, and the number of slots. */
export function layOut(insns: readonly Insn[]): { labels: Map<string, number>; slots: number } {
  const labels = new Map<string, number>();
  let slots = 0;
  for (const insn of insns) {
    if (insn.kind === 'label') {
      const { name } = insn;
      const first = labels.get(name);
      if (first !== undefined) refuse('LABEL_DUPLICATE', slots, `'${name}'`, `a new label, see slot ${first}`);
      labels.set(name, slots);
    }
    slots += slotsOf(insn);
  }
  return { labels, slots };
}
