import type { Insn } from '@bpf/insn';

type Find = (slots: readonly Insn[], detail: string) => number | undefined;

/** Refusals that come before any instruction is followed, of which the kernel does not say where, or not where it starts. */
const finds: readonly (readonly [reason: RegExp, find: Find])[] = [
  [/last insn is not an exit or jmp/, (slots) => (slots.some(leadsToFunction) ? undefined : slots.length - 1)],
  [
    /jump into the middle of ldimm64|invalid BPF_LD_IMM insn/,
    (slots) => findSlot(slots, (insn, slot) => isJump(insn) && isSecondHalf(slots, targetOf(insn, slot))),
  ],
  [
    /call to invalid destination/,
    (slots) => findSlot(slots, (insn, slot) => insn.kind === 'call_subprog' && !slots[targetOf(insn, slot) ?? 0]),
  ],
  [
    /kernel btf_id (\d+) is not a function/,
    (slots, id) => findSlot(slots, (insn) => insn.kind === 'call_kfunc' && insn.btfId === Number(id)),
  ],
  [
    /fd (\d+) is not pointing to valid bpf_map/,
    (slots, fd) => findSlot(slots, (insn) => 'map' in insn && insn.map === Number(fd)),
  ],
  [
    /unknown opcode ([0-9a-f]+)/,
    (slots, opcode) => findSlot(slots, (insn) => insn.kind === 'raw' && insn.opcode === Number.parseInt(opcode, 16)),
  ],
];

/**
 * The slot that a reason is about, from the program itself: the first that the kernel, which goes through it in order,
 * would refuse for this reason.
 */
export function locate(reason: string, slots: readonly Insn[]): number | undefined {
  for (const [pattern, find] of finds) {
    const match = pattern.exec(reason);
    if (match) return find(slots, match[1] ?? '');
  }
  return undefined;
}

function findSlot(slots: readonly Insn[], test: (insn: Insn, slot: number) => boolean): number | undefined {
  const slot = slots.findIndex(test);
  return slot < 0 ? undefined : slot;
}

const leadsToFunction = (insn: Insn): boolean =>
  insn.kind === 'call_subprog' || (insn.kind === 'lddw' && insn.source === 'func');

const isJump = ({ kind }: Insn): boolean => kind === 'jump' || kind === 'goto';

/** Labels never lead astray. */
function targetOf(insn: Insn, slot: number): number | undefined {
  return 'target' in insn && typeof insn.target === 'number' ? slot + 1 + insn.target : undefined;
}

function isSecondHalf(slots: readonly Insn[], slot: number | undefined): boolean {
  if (slot === undefined) return false;
  let start = slot;
  while (slots[start - 1] === slots[slot]) start--;
  return slots[slot]?.kind === 'lddw' && (slot - start) % 2 === 1;
}
