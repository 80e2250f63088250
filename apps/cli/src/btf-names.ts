import type { Btf, BtfKind } from '@bpf/btf';
import { printable } from './terminal.ts';

/** The kinds of types that C has names for. */
const typeKinds = ['struct', 'union', 'enum', 'enum64', 'typedef', 'int', 'float', 'fwd'] as const;

/** The ids of the types with a name: `task_struct` or, of one kind, `struct task_struct`. At least one, or an error. */
export function requireTypes(btf: Btf, asked: string): number[] {
  const [, word, name = asked] = /^(struct|union|enum|typedef) (.*)$/.exec(asked) ?? [];
  const kinds = typeKinds.filter((kind) => word === undefined || kind.startsWith(word));
  const found = kinds.map((kind) => btf.find(kind, name)).filter((id) => id !== undefined);
  // A struct is declared only where it is not defined.
  const defined = found.filter((id) => found.length === 1 || btf.type(id).kind !== 'fwd');
  if (defined.length > 0) return defined;
  return missing(btf, kinds, name, word ?? 'type');
}

/** The same for several names. */
export function requireNames(btf: Btf, names: readonly string[]): number[] {
  return names.flatMap((name) => requireTypes(btf, name));
}

/** The id of the function with a name, or an error. */
export function requireFunction(btf: Btf, name: string): number {
  return btf.find('func', name) ?? missing(btf, ['func'], name, 'function');
}

function missing(btf: Btf, kinds: readonly BtfKind[], name: string, what: string): never {
  const names = new Set<string>();
  for (const kind of kinds) for (const type of btf.all(kind)) names.add((type as { readonly name: string }).name);
  const near = nearest(name, names).map(printable);
  const hint = near.length > 0 ? ` Did you mean ${near.join(' or ')}?` : '';
  throw new Error(`There is no ${what} '${name}' in these types.${hint}`);
}

const MAX_SUGGESTIONS = 3;

/** The names that take the fewest edits to get to, if these are few for its length. */
export function nearest(name: string, names: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(name.length / 4));
  const near: { readonly name: string; readonly edits: number }[] = [];
  for (const other of names) {
    if (other === '' || Math.abs(other.length - name.length) > limit) continue;
    const edits = distance(name, other);
    if (edits <= limit) near.push({ name: other, edits });
  }
  const fewest = Math.min(...near.map(({ edits }) => edits));
  return near
    .filter(({ edits }) => edits === fewest)
    .map((entry) => entry.name)
    .slice(0, MAX_SUGGESTIONS);
}

/** The characters to insert, delete or replace to get from one text to the other (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
