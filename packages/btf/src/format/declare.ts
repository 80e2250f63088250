import { BtfError } from '../error.ts';
import type { BtfType, BtfTypeOf } from '../types.ts';
import type { Types } from './types.ts';

/** Where a type is written: how far to the right, how deep in others, and at which bit of the whole. */
export interface Place {
  readonly indent: string;
  readonly depth: number;
  readonly bit: number;
}

export const outermost: Place = { indent: '', depth: 0, bit: 0 };

/** Types that C has a tag for: `struct NAME`. */
export type Tagged = BtfTypeOf<'struct' | 'union' | 'enum' | 'enum64'>;

/** What declarations are written with. */
export interface Speller {
  readonly types: Types;
  /** A type that C has a name for: `struct task_struct`, `u32`, `unsigned int`. */
  name(type: BtfType): string;
  /** An anonymous struct, union or enum, from the keyword to the closing brace. */
  body(type: Tagged, place: Place): string;
}

/**
 * A declaration as C writes it: around the name, from the inside out. `declare(…, 'f')` for a pointer to a function is
 * `int (*f)(void)`.
 */
export function declare(speller: Speller, typeId: number, name: string, place: Place): string {
  const { types } = speller;
  let declarator = name;
  let current = typeId;
  /** Qualifiers that were passed and belong to what comes next. */
  let qualifiers: string[] = [];
  let attributes = '';
  for (let depth = place.depth; ; depth++) {
    types.step(current, depth);
    const type = types.type(current);
    switch (type.kind) {
      case 'const':
      case 'volatile':
      case 'restrict':
        if (!qualifiers.includes(type.kind)) qualifiers.unshift(type.kind);
        current = type.typeId;
        continue;
      case 'type_tag':
        attributes = ` ${tagAttribute(type)}${attributes}`;
        current = type.typeId;
        continue;
      case 'ptr': {
        const after = [...qualifiers, attributes.trim()].filter((word) => word !== '').join(' ');
        declarator = after === '' ? `*${declarator}` : `* ${after}${declarator === '' ? '' : ' '}${declarator}`;
        qualifiers = [];
        attributes = '';
        current = type.typeId;
        continue;
      }
      case 'array':
        // What qualifies an array qualifies its elements.
        declarator = `${grouped(declarator)}[${type.length}]`;
        current = type.typeId;
        continue;
      case 'func_proto':
        declarator = `${grouped(declarator)}(${parameters(speller, type, { ...place, depth: depth + 1, bit: 0 })})`;
        qualifiers = [];
        attributes = '';
        current = type.returnTypeId;
        continue;
      case 'func':
      case 'var':
      case 'datasec':
      case 'decl_tag':
        throw new BtfError('INVALID_TYPE', `type ${type.id} is a ${type.kind}, and nothing can be of it`);
    }
    const words = qualifiers.filter((word) => word !== 'restrict').map((word) => `${word} `);
    // Behind a pointer, offsets start anew.
    const inner = { ...place, depth: depth + 1, bit: declarator.startsWith('*') ? 0 : place.bit };
    const base = type.name === '' && isTagged(type) ? speller.body(type, inner) : speller.name(type);
    return `${words.join('')}${base}${attributes}${declarator === '' ? '' : ' '}${declarator}`;
  }
}

function grouped(declarator: string): string {
  return declarator.startsWith('*') ? `(${declarator})` : declarator;
}

function parameters(speller: Speller, { params }: BtfTypeOf<'func_proto'>, place: Place): string {
  // C wants a parameter before `...`, and says nothing about those of a function where there is none.
  if (params.length === 1 && params[0]?.typeId === 0) return '';
  const written = params.map(({ name, typeId }) =>
    typeId === 0 ? '...' : declare(speller, typeId, identifier(name), place),
  );
  return written.join(', ') || 'void';
}

export function isTagged(type: BtfType): type is Tagged {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum' || type.kind === 'enum64';
}

/** `user` and such of sparse, or since Linux 6.15 any attribute. */
function tagAttribute({ name, attribute }: BtfTypeOf<'type_tag'>): string {
  const text = name.replace(/[^\w (),.-]/g, '_');
  return attribute ? `__attribute__((${text}))` : `__attribute__((btf_type_tag("${text}")))`;
}

/** A name, with what C does not take in one replaced: other languages have other names. */
export function identifier(name: string): string {
  if (name === '' || /^[A-Za-z_$][\w$]*$/.test(name)) return name;
  const replaced = name.replace(/[^\w$]/g, '_');
  return /^\d/.test(replaced) ? `_${replaced}` : replaced;
}
