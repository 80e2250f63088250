import type { BtfKind } from './raw.ts';

/**
 * A type as its BTF record says it: plain data, made when asked for. Ids count from 1; 0 is void. Sizes are in bytes,
 * and anonymous types have an empty name.
 */
export type BtfType = { readonly id: number; readonly name: string } & (
  | { readonly kind: 'void' }
  | {
      readonly kind: 'int';
      readonly size: number;
      /** The width, which may be less than the size, and where it starts in it. */
      readonly bits: number;
      readonly bitOffset: number;
      readonly encoding: 'unsigned' | 'signed' | 'char' | 'bool';
    }
  | { readonly kind: 'ptr' | 'typedef' | 'volatile' | 'const' | 'restrict'; readonly typeId: number }
  | { readonly kind: 'array'; readonly typeId: number; readonly indexTypeId: number; readonly length: number }
  | { readonly kind: 'struct' | 'union'; readonly size: number; readonly members: readonly BtfMember[] }
  | {
      readonly kind: 'enum';
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumValue<number>[];
    }
  | {
      readonly kind: 'enum64';
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumValue<bigint>[];
    }
  | { readonly kind: 'fwd'; readonly of: 'struct' | 'union' }
  | { readonly kind: 'func'; readonly typeId: number; readonly linkage: BtfLinkage }
  | { readonly kind: 'func_proto'; readonly returnTypeId: number; readonly params: readonly BtfParam[] }
  | { readonly kind: 'var'; readonly typeId: number; readonly linkage: BtfLinkage }
  | { readonly kind: 'datasec'; readonly size: number; readonly vars: readonly BtfSectionVar[] }
  | { readonly kind: 'float'; readonly size: number }
  /** `componentIndex` is the member or parameter that the tag is on, -1 for the type itself. */
  | ({ readonly kind: 'decl_tag'; readonly typeId: number; readonly componentIndex: number } & BtfTag)
  | ({ readonly kind: 'type_tag'; readonly typeId: number } & BtfTag)
);

/** The type of one kind. */
export type BtfTypeOf<Kind extends BtfKind> = BtfType extends infer Type
  ? Type extends { readonly kind: BtfKind }
    ? Kind extends Type['kind']
      ? Type & { readonly kind: Kind }
      : never
    : never
  : never;

export type BtfLinkage = 'static' | 'global' | 'extern';

/** What both kinds of tags have. */
export interface BtfTag {
  /**
   * The name is that of any attribute, `__attribute__((NAME))`; without it, the argument of btf_decl_tag or btf_type_tag.
   * Linux 6.15 and newer.
   */
  readonly attribute?: true;
}

/** A member of a struct or union. */
export interface BtfMember {
  /** Empty for an anonymous struct or union. */
  readonly name: string;
  readonly typeId: number;
  readonly bitOffset: number;
  /** The width of a bitfield, 0 for any other member. */
  readonly bitSize: number;
}

export interface BtfEnumValue<Value> {
  readonly name: string;
  readonly value: Value;
}

/** A parameter; type 0 without a name stands for `...`. */
export interface BtfParam {
  readonly name: string;
  readonly typeId: number;
}

export interface BtfSectionVar {
  readonly typeId: number;
  readonly offset: number;
  readonly size: number;
}
