import { BtfError, corrupt } from './error.ts';
import { kindNumber, kinds, type RawBtf, TYPE_BYTES } from './raw.ts';
import { type Store, typeOf } from './store.ts';
import type { BtfType } from './types.ts';

/** Longest chain of typedefs, arrays and anonymous members that is followed: a corrupt file may hold a circle. */
export const MAX_DEPTH = 32;
const POINTER_BYTES = 8;
/** Of `__int128`. */
const MAX_ALIGN = 16;

/** Kinds that stand for another without changing what it occupies. */
const transparent: ReadonlySet<string> = new Set(['typedef', 'volatile', 'const', 'restrict', 'type_tag']);

/** The id of the type behind typedefs, qualifiers and tags. */
export function resolve(store: Store, id: number): number {
  let current = id;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (current === 0) return 0;
    const { raw, at } = placeOf(store, current);
    const kind = kinds[kindNumber(u32(raw, at + 4))] ?? 'void';
    if (!transparent.has(kind)) return current;
    current = u32(raw, at + 8);
  }
  return corrupt(placeOf(store, id).at, `the typedefs behind type ${id} do not end`);
}

/** The type behind typedefs, qualifiers and tags, decoded. */
export function resolved(store: Store, id: number): BtfType {
  return typeOf(store, resolve(store, id));
}

/** Bytes that a value of a type occupies. @throws BtfError `NO_SIZE` */
export function sizeOf(store: Store, id: number, depth = 0): number {
  const behind = resolve(store, id);
  if (behind === 0) throw new BtfError('NO_SIZE', 'void has no size');
  const { raw, at } = placeOf(store, behind);
  if (depth > MAX_DEPTH) corrupt(at, `type ${id} is nested without end`);
  const kind = kinds[kindNumber(u32(raw, at + 4))] ?? 'void';
  switch (kind) {
    case 'int':
    case 'struct':
    case 'union':
    case 'enum':
    case 'enum64':
    case 'float':
    case 'datasec':
      return u32(raw, at + 8);
    case 'ptr':
      return POINTER_BYTES;
    case 'array':
      return sizeOf(store, u32(raw, at + TYPE_BYTES), depth + 1) * u32(raw, at + TYPE_BYTES + 8);
    case 'var':
      return sizeOf(store, u32(raw, at + 8), depth + 1);
    default:
      throw new BtfError('NO_SIZE', `type ${id}, a ${kind}, has no size`);
  }
}

/** Bytes that a value of a type is aligned to, as C lays it out; 1 for packed structs. @throws BtfError `NO_SIZE` */
export function alignOf(store: Store, id: number, known: Map<number, number> = new Map(), depth = 0): number {
  const type = resolved(store, id);
  if (depth > MAX_DEPTH) corrupt(placeOf(store, type.id).at, `type ${id} is nested without end`);
  const before = known.get(type.id);
  if (before !== undefined) return before;
  // Until it is known: a type of a corrupt file may contain itself.
  known.set(type.id, 1);
  const align = alignOfResolved(store, type, known, depth);
  known.set(type.id, align);
  return align;
}

function alignOfResolved(store: Store, type: BtfType, known: Map<number, number>, depth: number): number {
  if (type.kind === 'array') return alignOf(store, type.typeId, known, depth + 1);
  if (type.kind !== 'struct' && type.kind !== 'union') return Math.min(sizeOf(store, type.id), MAX_ALIGN);
  let align = 1;
  for (const { typeId, bitOffset, bitSize } of type.members) {
    const own = alignOf(store, typeId, known, depth + 1);
    if (bitSize === 0 && bitOffset % (own * 8) !== 0) return 1; // packed
    align = Math.max(align, own);
  }
  return type.size % align === 0 ? align : 1;
}

/** Where a type's record is. @throws BtfError `NOT_FOUND` */
export function placeOf(store: Store, id: number): { raw: RawBtf; at: number } {
  const place = Number.isInteger(id) && id > 0 ? store.place(id) : undefined;
  if (place) return place;
  throw new BtfError('NOT_FOUND', `there is no type with id ${id}`);
}

export function u32({ view, littleEndian }: RawBtf, at: number): number {
  return view.getUint32(at, littleEndian);
}
