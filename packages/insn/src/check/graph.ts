import { JMP, JMP32, MAX_32, MIN_32 } from '../codes.ts';
import { find } from '../find.ts';
import type { Insn, Program, Target } from '../insn.ts';
import { flatten, layOut, slotsOf } from '../layout.ts';
import { checkRange } from '../range.ts';
import { type Finding, type FindingCode, finding } from './finding.ts';

/** An instruction in its place. Nodes are known by their index; labels are none. */
export interface Node {
  readonly insn: Insn;
  readonly slot: number;
  /** The first node of the function that it is part of; the program's own is 0. */
  readonly fn: number;
  /** Where it goes on: falling through first, then jumping. */
  readonly next: readonly number[];
  /** The function that it calls, or takes the address of. */
  readonly callee?: number;
}

/**
 * The instructions of a program and where each goes on, as `check_subprogs` and `check_cfg` of the verifier see it: they
 * look at all code, and know nothing of values. Jumps that lead nowhere are findings, and left out.
 *
 * @throws InsnError `LABEL_UNKNOWN`, `LABEL_DUPLICATE`, `JUMP_RANGE`
 */
export function buildGraph(program: Program): { nodes: Node[]; findings: Finding[] } {
  const insns = flatten(program);
  const { labels, slots } = layOut(insns);
  const placed: { insn: Insn; slot: number; to?: number }[] = [];
  const indexes = new Map<number, number>();
  const functions = new Set([0]);
  let slot = 0;
  for (const insn of insns) {
    if (insn.kind === 'label') continue;
    const target = targetOf(insn);
    const to =
      typeof target === 'string'
        ? find(slot, labels, target, 'label', 'LABEL_UNKNOWN')
        : target === undefined
          ? undefined
          : slot + 1 + checkRange(slot, target, MIN_32, MAX_32, '', 'JUMP_RANGE');
    indexes.set(slot, placed.length);
    placed.push({ insn, slot, ...(to !== undefined && { to }) });
    if (to !== undefined && isCall(insn)) functions.add(to);
    slot += slotsOf(insn);
  }

  let fn = 0;
  const fns = placed.map((place, i) => {
    if (functions.has(place.slot)) fn = i;
    return fn;
  });
  const findings: Finding[] = [];
  const report = (place: { insn: Insn; slot: number }, code: FindingCode, words: string) =>
    void findings.push(finding(code, place, words));
  const nodes = placed.map((place, i): Node => {
    const { insn, slot, to } = place;
    const next: number[] = [];
    const node = { insn, slot, fn: fns[i] ?? 0, next };
    if (fallsThrough(insn) && fns[i + 1] === fns[i]) next.push(i + 1);
    if (to === undefined) return node;
    const target = indexes.get(to);
    if (target === undefined) {
      if (to >= 0 && to < slots)
        report(place, 'JUMP_INTO_WIDE', `goes to slot ${to}, inside of a wide instruction; go to slot ${to - 1}`);
      else report(place, 'JUMP_OUTSIDE', `goes to slot ${to}; go to slot 0 to ${slots - 1}`);
    } else if (isCall(insn)) {
      return { ...node, callee: target };
    } else if (fns[target] !== fns[i]) {
      report(place, 'JUMP_OUTSIDE', `goes to slot ${to} of another function; use callSubprog`);
    } else if (!next.includes(target)) {
      next.push(target);
    }
    return node;
  });
  const reached = isOpaque(nodes) ? undefined : reachable(nodes);
  nodes.forEach((node, i) => {
    if (reached && !reached.has(i)) {
      // One finding for each stretch.
      if (i === 0 || reached.has(i - 1)) report(node, 'UNREACHABLE', 'cannot be reached; remove it, or go to it');
    } else if (fns[i + 1] !== fns[i] && fallsThrough(node.insn) && !mayEnd(node.insn)) {
      const into = i + 1 < nodes.length ? 'into the next function' : 'off the end of the program';
      report(node, 'FALLS_OFF_END', `runs ${into}; end with exit`);
    }
  });
  return { nodes, findings };
}

/** Whether it jumps to places that cannot be told, so that nothing can be said of how the rest is reached. */
export function isOpaque(nodes: readonly Node[]): boolean {
  return nodes.some(
    ({ insn }) =>
      insn.kind === 'gotox' || (insn.kind === 'raw' && ((insn.opcode & 7) === JMP || (insn.opcode & 7) === JMP32)),
  );
}

function targetOf(insn: Insn): Target | undefined {
  if (insn.kind === 'lddw') return insn.source === 'func' ? insn.target : undefined;
  return 'target' in insn ? insn.target : undefined;
}

const isCall = (insn: Insn): boolean => insn.kind === 'call_subprog' || insn.kind === 'lddw';

const fallsThrough = (insn: Insn): boolean =>
  insn.kind !== 'exit' && insn.kind !== 'gotox' && (insn.kind !== 'goto' || insn.op === 'may_goto');

/** What may stand at the end for all that is known here: a kernel function that does not return, or a new instruction. */
const mayEnd = (insn: Insn): boolean => insn.kind === 'call_kfunc' || insn.kind === 'raw';

function reachable(nodes: readonly Node[]): Set<number> {
  const reached = new Set<number>();
  const work = nodes.length > 0 ? [0] : [];
  for (let i = work.pop(); i !== undefined; i = work.pop()) {
    const node = nodes[i];
    if (!node || reached.has(i)) continue;
    reached.add(i);
    work.push(...node.next);
    if (node.callee !== undefined) work.push(node.callee);
  }
  return reached;
}
