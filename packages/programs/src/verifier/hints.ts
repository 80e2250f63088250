import type { Hint, Refused } from './hint.ts';
import { callHints } from './hints-calls.ts';
import { flowHints } from './hints-flow.ts';
import { memoryHints } from './hints-memory.ts';
import { registerHints } from './hints-registers.ts';

/** The first that fits. */
const hints: readonly Hint[] = [...memoryHints, ...callHints, ...registerHints, ...flowHints];

/** One sentence for a refusal, or undefined for one that is not known. */
export function hintFor(reason: string, refused: Refused): string | undefined {
  for (const [pattern, sentence] of hints) {
    const match = pattern.exec(reason);
    if (!match) continue;
    // A group that took no part is empty.
    const groups = Array.from(match, (group) => group ?? '');
    const hint = typeof sentence === 'string' ? sentence : sentence(groups, refused);
    if (hint !== undefined) return hint;
  }
  return undefined;
}
