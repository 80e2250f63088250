import type { BtfMember, BtfTypeOf } from '../types.ts';
import type { Types } from './types.ts';

/** How C lays out a type as it is written here, which is with the size and the offsets that BTF says. In bytes. */
export interface CLayout {
  readonly size: number;
  readonly align: number;
  /** It needs `__attribute__((packed))`. */
  readonly packed: boolean;
  /** No C struct has such members: they overlap, or are of no size. */
  readonly opaque: boolean;
}

/** Layouts by id, for one run of a formatter; undefined while one is being found. */
export type CLayouts = Map<number, CLayout | undefined>;

const POINTER_BYTES = 8;
const LARGEST_ALIGN = 16;
const incomplete: CLayout = { size: 0, align: 1, packed: false, opaque: true };
const scalar = (size: number): CLayout => ({ size, align: scalarAlign(size), packed: false, opaque: size === 0 });

/** The alignment of a number of this many bytes: those, when they are a power of two. */
export function scalarAlign(size: number): number {
  return Math.min(size & -size, LARGEST_ALIGN) || 1;
}

export function layoutOf(types: Types, layouts: CLayouts, id: number, depth = 0): CLayout {
  types.step(id, depth);
  const type = types.type(id);
  switch (type.kind) {
    case 'int':
    case 'float':
    case 'enum':
    case 'enum64':
      return scalar(type.size);
    case 'ptr':
      return scalar(POINTER_BYTES);
    case 'typedef':
      // The compiler's own. Where the kernel's is larger, padding follows.
      if (type.name === '__builtin_va_list') return scalar(POINTER_BYTES);
      return layoutOf(types, layouts, type.typeId, depth + 1);
    case 'const':
    case 'volatile':
    case 'restrict':
    case 'type_tag':
      return layoutOf(types, layouts, type.typeId, depth + 1);
    case 'array': {
      const { size, align, opaque } = layoutOf(types, layouts, type.typeId, depth + 1);
      return { size: size * type.length, align, packed: false, opaque };
    }
    case 'struct':
    case 'union': {
      if (layouts.has(id)) return layouts.get(id) ?? types.corrupt(id, `type ${id} contains itself`);
      layouts.set(id, undefined);
      const layout = layoutOfRecord(types, layouts, type, depth);
      layouts.set(id, layout);
      return layout;
    }
    default:
      return incomplete;
  }
}

function layoutOfRecord(types: Types, layouts: CLayouts, type: BtfTypeOf<'struct' | 'union'>, depth: number): CLayout {
  const { size, members } = type;
  const inner = members.map(({ typeId }) => layoutOf(types, layouts, typeId, depth + 1));
  // A struct that cannot be written is written as its bytes, and holds its place like any other.
  const usable = members.every(({ typeId, bitSize }, i) => {
    const layout = inner[i] as CLayout;
    if (bitSize > layout.size * 8) return false;
    const { kind } = types.behind(typeId);
    return !layout.opaque || kind === 'struct' || kind === 'union' || kind === 'array';
  });
  const align = inner.reduce((most, layout) => Math.max(most, layout.align), 1);
  const fits = (packed: boolean): boolean => {
    const own = packed ? 1 : align;
    if (size % own !== 0) return false;
    let at = 0;
    for (const [i, member] of members.entries()) {
      const layout = inner[i] as CLayout;
      const from = type.kind === 'union' ? 0 : at;
      if (paddingBefore(from, member, layout, packed) === undefined) return false;
      if (type.kind === 'union' && member.bitOffset !== 0) return false;
      at = Math.max(at, endOf(member, layout));
    }
    return at <= size * 8;
  };
  if (usable && fits(false)) return { size, align, packed: false, opaque: false };
  if (usable && fits(true)) return { size, align: 1, packed: true, opaque: false };
  return { size, align: 1, packed: false, opaque: true };
}

/** The bit after a member. */
export function endOf({ bitOffset, bitSize }: BtfMember, layout: CLayout): number {
  return bitOffset + (bitSize || layout.size * 8);
}

/**
 * The bits of padding that a member needs before it, when what is before ends at bit `at`, for C to place it where BTF
 * says; undefined where C never would.
 */
export function paddingBefore(
  at: number,
  { bitOffset, bitSize }: BtfMember,
  { size, align }: CLayout,
  packed: boolean,
): number | undefined {
  if (bitOffset < at) return undefined;
  /** Where C places it when it comes at this bit. */
  const placed = (bit: number): number => {
    if (bitSize === 0) return roundUp(bit, packed ? 8 : align * 8);
    const unit = size * 8;
    return packed || (bit % unit) + bitSize <= unit ? bit : roundUp(bit, unit);
  };
  if (placed(at) === bitOffset) return 0;
  return placed(bitOffset) === bitOffset ? bitOffset - at : undefined;
}

export function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
