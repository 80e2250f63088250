/**
 * What the verifier knows of registers ('r0' to 'r10') and of the stack ('fp-8'), in its own words: `ctx()`, `scalar()`,
 * `map_value(ks=4,vs=8)`, `0`; before Linux 5.18 `inv` in place of `scalar`. 'refs' are references that are held.
 */
export type VerifierState = Readonly<Record<string, string>>;

/** `R1=`, `R1_w=`, `fp-8_rw=`, `refs=`: what stands behind `_` is for the verifier itself. */
const NAME = /(R\d+|fp-?\d+|refs)(?:_[a-z]+)?=/y;
/** Where a text has a state: behind the number of a function's frame, `frame1: R1=ctx()`. */
const START = /^ ?(?:frame(\d+): ?)?/;
/** No state is longer. */
const MAX_CHARACTERS = 20_000;

const SPACE = 0x20;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Reads `R1=ctx() R10=fp0 fp-8=mmmm????`; undefined when the text is something else. */
export function parseState(text: string): { readonly frame: number; readonly state: VerifierState } | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const start = START.exec(text);
  const state: Record<string, string> = {};
  let found = false;
  for (let at = start?.[0].length ?? 0; at < text.length; ) {
    const end = endOfWord(text, at);
    NAME.lastIndex = at;
    const name = NAME.exec(text)?.[1];
    if (name) state[name.toLowerCase()] = text.slice(NAME.lastIndex, end);
    else if (!found) return undefined;
    found = true;
    at = end + 1;
  }
  return found ? { frame: Number(start?.[1] ?? 0), state } : undefined;
}

/** The next space that is not in brackets: `var_off=(0x0; 0xff)` is one word. */
function endOfWord(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === OPEN) depth++;
    else if (code === CLOSE) depth--;
    else if (code === SPACE && depth <= 0) return i;
  }
  return text.length;
}
