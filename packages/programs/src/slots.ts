import { flatten, type Insn, type Program } from '@bpf/insn';

/** The instruction of each slot: a wide one is in two of them, and labels are in none. */
export function slotsOf(program: Program): Insn[] {
  const slots: Insn[] = [];
  for (const insn of flatten(program)) {
    if (insn.kind !== 'label') slots.push(insn);
    if (insn.kind === 'lddw') slots.push(insn);
  }
  return slots;
}
