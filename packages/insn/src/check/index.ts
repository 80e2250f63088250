import type { Program } from '../insn.ts';
import { type Block, certainty } from './certain.ts';
import { type Finding, finding, type Report } from './finding.ts';
import { buildGraph, isOpaque, type Node } from './graph.ts';
import { copyState, entryState, join, type State } from './state.ts';
import { step, surelyFollowed } from './step.ts';

export type { Finding, FindingCode } from './finding.ts';

export interface CheckOptions {
  /**
   * What this type of program may return: `[0, 0]` for fentry and fexit, `[0, 1]` for iterators; 'void' for functions of
   * struct_ops that return nothing. Unless said, it has to return something.
   */
  readonly returns?: readonly [min: number, max: number] | 'void';
}

/**
 * Finds what the verifier would refuse, without a kernel: by the control flow, by registers and stack that were not
 * written, and by single instructions. It is no verifier, and says nothing of pointers, bounds and types. What it
 * does find is wrong: code that the verifier may skip, because it knows a condition, is not looked at.
 *
 * `UNINIT_STACK` is the one finding that depends on the kernel: since Linux 6.3 (and in stable releases before, in part),
 * those with CAP_PERFMON may read what they have not written. Who loads there only leaves it out.
 *
 * Targets, labels and maps are as in `assemble`; maps need not be given. In a program with `gotox`, whose ways cannot be
 * told, only jumps and the end are looked at.
 *
 * @returns the findings in the order of the program, empty when all is well
 * @throws InsnError `LABEL_UNKNOWN`, `LABEL_DUPLICATE`, `JUMP_RANGE`
 * @example
 * ```ts
 * check([mov('r0', 'r2'), exit()]);
 * // [{ code: 'UNINIT_REGISTER', slot: 0, message: 'slot 0 reads r2, which nothing has written; write it first', … }]
 * ```
 */
export function check(program: Program, options: CheckOptions = {}): readonly Finding[] {
  const { nodes, findings } = buildGraph(program);
  if (nodes.length > 0 && !isOpaque(nodes)) findings.push(...checkFlow(nodes, options));
  return findings.sort((a, b) => a.slot - b.slot);
}

const nothing: Report = () => {};

function checkFlow(nodes: readonly Node[], { returns }: CheckOptions): Finding[] {
  // A kernel function may end the program (bpf_throw), and a function that calls it as well.
  const throws = nodes.some(({ insn }) => insn.kind === 'call_kfunc');
  const mayThrow = ({ insn }: Node): boolean => throws && (insn.kind === 'call_kfunc' || insn.kind === 'call_subprog');
  const starts = new Set<number>();
  nodes.forEach((node, i) => {
    starts.add(node.fn);
    if (node.next.length !== 1 || node.next[0] !== i + 1 || mayThrow(node)) for (const to of node.next) starts.add(to);
  });

  /** Follows a block from the state at its start; returns its last node. */
  const follow = (start: number, state: State, visit: (node: Node) => Report): Node | undefined => {
    for (let i = start; ; i++) {
      const node = nodes[i];
      if (!node) return undefined;
      const report = visit(node);
      const last = node.next.length !== 1 || starts.has(node.next[0] ?? 0);
      step(node, state, report, returns, isInFastcall(nodes, i));
      if (last) return node;
    }
  };

  const states = new Map<number, State>();
  const work: number[] = [];
  const enter = (at: number, state: State): void => {
    const known = states.get(at);
    if (!known) states.set(at, copyState(state));
    if (!known || join(known, state)) work.push(at);
  };
  for (const { fn } of nodes) if (!states.has(fn)) enter(fn, entryState(fn === 0));
  for (let at = work.pop(); at !== undefined; at = work.pop()) {
    const state = copyState(states.get(at) ?? entryState(false));
    for (const to of follow(at, state, () => nothing)?.next ?? []) enter(to, state);
  }

  const blocks = new Map<number, Block>();
  const candidates: [block: number, finding: Finding][] = [];
  for (const [start, before] of states) {
    const state = copyState(before);
    const calls: number[] = [];
    let sure: readonly number[] = [];
    const last = follow(start, state, (node) => {
      if (node.callee !== undefined && node.insn.kind === 'call_subprog') calls.push(node.callee);
      sure = surelyFollowed(node, state);
      return (code, words) => candidates.push([start, finding(code, node, words)]);
    });
    const next = last?.next ?? [];
    blocks.set(start, { next, sure, ends: next.length === 0 || (last !== undefined && mayThrow(last)), calls });
  }
  const isCertain = certainty(blocks, nodes);
  return candidates.filter(([block]) => isCertain(block)).map(([, found]) => found);
}

/** Whether it is one of the stores right before a call, or of the loads right after it, that save registers. */
function isInFastcall(nodes: readonly Node[], at: number): boolean {
  const kind = nodes[at]?.insn.kind;
  if (kind !== 'stx' && kind !== 'ldx') return false;
  let i = at;
  while (nodes[i]?.insn.kind === kind) i += kind === 'stx' ? 1 : -1;
  const beside = nodes[i]?.insn.kind;
  return beside === 'call' || beside === 'call_kfunc';
}
