import { type Btf, storeOf } from '../btf.ts';
import { BtfError, corrupt } from '../error.ts';
import { placeOf } from '../layout.ts';
import type { BtfType } from '../types.ts';

/** Types of a BTF for one run of a formatter: decoded once, and followed no further than their number allows. */
export interface Types {
  readonly btf: Btf;
  type(id: number): BtfType;
  /** The type behind qualifiers, type tags and typedefs. */
  behind(id: number): BtfType;
  /** Accounts for one more type that is written, so deep inside others. A corrupt file may nest types without end. */
  step(id: number, depth: number): void;
  corrupt(id: number, message: string): never;
}

/** Types written inside one another. */
const MAX_DEPTH = 400;
/** Types written for each that there is. Anonymous ones are written wherever they are used. */
const STEPS_PER_TYPE = 200;

export function openTypes(btf: Btf): Types {
  const store = storeOf(btf);
  const known = new Map<number, BtfType>();
  let steps = 10_000 + btf.count * STEPS_PER_TYPE;

  const fail = (id: number, message: string): never =>
    id === 0 ? corrupt(store.raw.typesStart, message) : corrupt(placeOf(store, id).at, message);
  const type = (id: number): BtfType => {
    let found = known.get(id);
    if (!found) {
      found = btf.type(id);
      known.set(id, found);
    }
    return found;
  };
  return {
    btf,
    type,
    behind: (id) => type(btf.resolve(id)),
    step(id, depth) {
      if (depth > MAX_DEPTH) fail(id, `type ${id} is nested in more than ${MAX_DEPTH} others`);
      if (steps-- === 0) fail(id, 'its anonymous types are nested in one another too often to be written');
    },
    corrupt: fail,
  };
}

/** The id of a type that is asked for by id, by name (`'task_struct'`) or as C calls it (`'struct task_struct'`). */
export function idsOf(btf: Btf, root: number | string): number[] {
  if (typeof root === 'number') return [btf.type(root).id];
  const [, word, name = root] = /^(struct|union|enum) (.*)$/.exec(root) ?? [];
  const kinds = (['struct', 'union', 'enum', 'enum64', 'typedef', 'fwd'] as const).filter(
    (kind) => word === undefined || kind.startsWith(word),
  );
  const found = kinds.map((kind) => btf.find(kind, name)).filter((id) => id !== undefined);
  if (found.length === 0) throw new BtfError('NOT_FOUND', `there is no type '${root}' in this BTF`);
  return found;
}
