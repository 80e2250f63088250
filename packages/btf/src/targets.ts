import { functionOf } from './func.ts';
import type { Store } from './store.ts';

/** Something that BPF iterators of this kernel can go through. */
export interface BtfIterTarget {
  /** As in libbpf's section names: 'task'. */
  readonly name: string;
  /** The function `bpf_iter_NAME`, whose id is the attach_btf_id of its programs. */
  readonly funcId: number;
  /** The context, in order: `meta` first. */
  readonly fields: readonly BtfIterField[];
}

/** A field of an iterator's context. Each takes 8 bytes. */
export interface BtfIterField {
  readonly name: string;
  /** Bytes from the start of the context. */
  readonly offset: number;
  /** Bytes: 8 for a pointer, less for a number. */
  readonly size: number;
  readonly pointer: boolean;
  readonly typeId: number;
}

const PREFIX = 'bpf_iter_';

/** The kernel declares a target by an empty function that takes what the programs get. */
export function iterTargetsOf(
  store: Store,
  funcs: Iterable<{ readonly id: number; readonly name: string }>,
): BtfIterTarget[] {
  const targets: BtfIterTarget[] = [];
  for (const { id, name } of funcs) {
    if (!name.startsWith(PREFIX)) continue;
    // Other functions have such names as well, but only a target has a context.
    if (store.find('struct', `bpf_iter__${name.slice(PREFIX.length)}`) === undefined) continue;
    const { params } = functionOf(store, id);
    const fields = params.map(({ name, slot, size, kind, typeId }) => ({
      name,
      offset: slot * 8,
      size,
      pointer: kind === 'ptr',
      typeId,
    }));
    targets.push({ name: name.slice(PREFIX.length), funcId: id, fields });
  }
  return targets;
}
