import type { Insn, LabelInsn } from '../insn.ts';
import { slotsOf } from '../layout.ts';

/**
 * The same instructions with labels in place of numeric targets: `L5` names slot 5, `func5` one that is called. Targets
 * outside the program or inside a wide instruction stay numbers.
 */
export function withLabels(insns: readonly Insn[]): Insn[] {
  const program = layOut(insns);
  const made = nameTargets(insns, program);
  const labelled: Insn[] = [];
  const lead = (slot: number): void => {
    const name = made.get(slot);
    if (name !== undefined) labelled.push({ kind: 'label', name });
  };
  let slot = 0;
  for (const insn of insns) {
    // Before the instruction, and after the labels that are there already.
    if (slotsOf(insn) > 0) lead(slot);
    const to = destination(insn, slot);
    const target = to === undefined ? undefined : (program.labels.get(to) ?? made.get(to));
    labelled.push(target === undefined ? insn : ({ ...insn, target } as Insn));
    slot += slotsOf(insn);
  }
  lead(slot);
  return labelled;
}

interface Layout {
  /** The labels that the program has, by slot: the first of each. */
  readonly labels: ReadonlyMap<number, string>;
  readonly names: ReadonlySet<string>;
  /** Slots where an instruction starts, and the one behind the last. */
  readonly starts: ReadonlySet<number>;
}

function layOut(insns: readonly Insn[]): Layout {
  const labels = new Map<number, string>();
  const names = new Set<string>();
  const starts = new Set<number>([0]);
  let slot = 0;
  for (const insn of insns) {
    if (insn.kind === 'label') {
      names.add(insn.name);
      if (!labels.has(slot)) labels.set(slot, insn.name);
    }
    slot += slotsOf(insn);
    starts.add(slot);
  }
  return { labels, names, starts };
}

/** A name for each slot that a number leads to and that has no label. */
function nameTargets(insns: readonly Insn[], { labels, names, starts }: Layout): Map<number, LabelInsn['name']> {
  const made = new Map<number, string>();
  let slot = 0;
  for (const insn of insns) {
    const to = destination(insn, slot);
    if (to !== undefined && starts.has(to) && !labels.has(to)) {
      // What is called is a function, also when it is jumped to.
      if (isCall(insn)) made.set(to, free(`func${to}`, names));
      else if (!made.has(to)) made.set(to, free(`L${to}`, names));
    }
    slot += slotsOf(insn);
  }
  return made;
}

function free(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? free(`${name}_`, taken) : name;
}

function isCall(insn: Insn): boolean {
  return insn.kind === 'call_subprog' || insn.kind === 'lddw';
}

/** The slot that a numeric target leads to. */
function destination(insn: Insn, slot: number): number | undefined {
  return 'target' in insn && typeof insn.target === 'number' ? slot + 1 + insn.target : undefined;
}
