import { flatten, SLOT_BYTES, slotCount } from '@bpf/insn';
import type { ProgramSpec } from './spec.ts';

const LDDW = 0x18;
const CALL = 0x85;
/** `src` of a call, and of an lddw, whose immediate leads to a function of the program. */
const PSEUDO_CALL = 1;
const PSEUDO_FUNC = 4;

/** A function of a program, the program itself among them. */
export interface ProgramFunction {
  /** Where it starts. */
  readonly slot: number;
  /** An identifier. */
  readonly name: string;
}

/**
 * The functions of a program as the kernel finds them: the program, and whatever a call or an lddw leads to.
 *
 * @param insns the assembled program
 */
export function functionsOf({ name, instructions }: ProgramSpec, insns: Uint8Array): ProgramFunction[] {
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const starts = new Set([0]);
  for (let at = 0; at < insns.byteLength; at += SLOT_BYTES) {
    const leads = { [CALL]: PSEUDO_CALL, [LDDW]: PSEUDO_FUNC }[view.getUint8(at)];
    if (leads !== undefined && leads === view.getUint8(at + 1) >> 4)
      starts.add(at / SLOT_BYTES + 1 + view.getInt32(at + 4, true));
  }
  const labels = new Map<number, string>();
  let slot = 0;
  for (const insn of flatten(instructions)) {
    if (insn.kind === 'label') labels.set(slot, insn.name);
    slot += slotCount([insn]);
  }
  return [...starts]
    .sort((a, b) => a - b)
    .map((start) => ({
      slot: start,
      name: identifier(start === 0 ? name : (labels.get(start) ?? `${name}_${start}`)),
    }));
}

/** The nearest name that the kernel takes for a function. */
function identifier(name: string): string {
  return name
    .replace(/\W/g, '_')
    .replace(/^(?=\d|$)/, '_')
    .slice(0, 100);
}
