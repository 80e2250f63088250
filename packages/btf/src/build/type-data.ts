import type { BtfType } from '../types.ts';

/**
 * A type to write: a {@link BtfType} without its id, which is its place in the list, and without its name where it has
 * none. What `btf.type(id)` returned is one as it is.
 */
export type BtfTypeData = WithoutId<Exclude<BtfType, { readonly kind: 'void' }>>;

/** Distributes over the kinds. */
type WithoutId<Type> = Type extends unknown ? Omit<Type, 'id' | 'name'> & { readonly name?: string } : never;
