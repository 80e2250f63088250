import type { Node } from './graph.ts';

/** A stretch of instructions that are all executed when the first is. */
export interface Block {
  /** Where it goes on: blocks, by their first node. */
  readonly next: readonly number[];
  /** Those of `next` that the verifier surely follows; when there are none, it follows some one at least. */
  readonly sure: readonly number[];
  /** Whether a path may end in it. */
  readonly ends: boolean;
  /** The functions that it calls. */
  readonly calls: readonly number[];
}

/**
 * Tells of a block whether the verifier surely comes to it. The verifier does not follow a branch that it knows not to be
 * taken, and such a branch may hold what would be wrong elsewhere. So this asks whether a path can come to an end and
 * avoid the block.
 */
export function certainty(blocks: ReadonlyMap<number, Block>, nodes: readonly Node[]): (block: number) => boolean {
  const before = new Map<number, number[]>();
  const callers = new Map<number, number[]>();
  const add = (map: Map<number, number[]>, key: number, value: number): void => {
    const values = map.get(key);
    if (values) values.push(value);
    else map.set(key, [value]);
  };
  for (const [start, { next, sure, calls }] of blocks) {
    for (const to of sure.length > 0 ? sure : next) add(before, to, start);
    for (const callee of calls) add(callers, callee, start);
  }

  const canAvoid = (block: number, entry: number): boolean => {
    const avoiding = new Set<number>();
    const left = new Map<number, number>();
    const work = [...blocks.keys()].filter((start) => blocks.get(start)?.ends);
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      if (at === block || avoiding.has(at)) continue;
      if (at === entry) return true;
      avoiding.add(at);
      for (const from of before.get(at) ?? []) {
        // Where all of several ways are followed, all have to avoid it.
        const others = left.get(from) ?? Math.max(blocks.get(from)?.sure.length ?? 0, 1);
        left.set(from, others - 1);
        if (others === 1) work.push(from);
      }
    }
    return false;
  };

  const known = new Map<number, boolean>();
  const isCertain = (block: number): boolean => {
    const answer = known.get(block);
    if (answer !== undefined) return answer;
    known.set(block, false); // for functions that call themselves
    const entry = nodes[block]?.fn ?? 0;
    const certain = !canAvoid(block, entry) && (entry === 0 || (callers.get(entry) ?? []).some(isCertain));
    known.set(block, certain);
    return certain;
  };
  return isCertain;
}
