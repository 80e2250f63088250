import type { BtfType, BtfTypeOf } from '../types.ts';
import { scalarAlign } from './c-layout.ts';
import { identifier } from './declare.ts';
import type { Types } from './types.ts';

/** Names that C can tell apart: one that is taken gets a suffix, as bpftool gives it: `ring___2`. */
export interface Names {
  /** A type's name, the same each time. */
  of(type: BtfType): string;
  /** An enumerator's name: another each time. */
  enumerator(name: string): string;
}

/** Types with other names than these are not C's, and are declared. */
const words = new Set(['char', 'short', 'int', 'long', 'signed', 'unsigned', '_Bool', '__int128', 'float', 'double']);

/** What C calls a number of this size. */
const sizes: Readonly<Record<number, string>> = { 1: 'char', 2: 'short', 4: 'int', 8: 'long long', 16: '__int128' };

/** Bytes that the compiler takes for the names that BTF has, where BPF programs run. */
function bytesOf(name: string): number {
  const has = (word: string): boolean => name.split(' ').includes(word);
  if (has('char') || has('_Bool')) return 1;
  if (has('short')) return 2;
  if (has('__int128')) return 16;
  if (has('float')) return 4;
  return has('long') || has('double') ? 8 : 4;
}

/** The words of C for a number that it does not know by its name: by what it is. */
export function plainNumber(type: BtfTypeOf<'int' | 'float'>): string {
  if (type.kind === 'float' && type.size === 4) return 'float';
  if (type.kind === 'float' && type.size === 8) return 'double';
  if (type.kind === 'int' && type.encoding === 'bool' && type.size === 1) return '_Bool';
  const word = type.kind === 'int' ? sizes[type.size] : undefined;
  if (type.kind === 'int' && word) return `${type.encoding === 'signed' ? 'signed' : 'unsigned'} ${word}`;
  return `struct { char bytes[${type.size}]; } __attribute__((aligned(${scalarAlign(type.size)})))`;
}

/** Whether C knows a number by its name, with its size. */
export function isC(type: BtfTypeOf<'int' | 'float'>): boolean {
  return type.name.split(' ').every((word) => words.has(word)) && bytesOf(type.name) === type.size;
}

export function openNames(types: Types): Names {
  const tags = new Map<string, number>();
  const identifiers = new Map<string, number>();
  const known = new Map<number, string>();

  const unique = (taken: Map<string, number>, wanted: string): string => {
    const name = identifier(wanted) || 'unnamed';
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    if (count === 1) return name;
    // The suffix may be part of another's name.
    return taken.has(`${name}___${count}`) ? unique(taken, wanted) : unique(taken, `${name}___${count}`);
  };

  const make = (type: BtfType): string => {
    switch (type.kind) {
      case 'void':
        return 'void';
      case 'int':
      case 'float':
        return isC(type) ? type.name : unique(identifiers, type.name);
      case 'struct':
      case 'union':
        return `${type.kind} ${unique(tags, type.name)}`;
      case 'enum':
      case 'enum64':
        return `enum ${unique(tags, type.name)}`;
      case 'fwd': {
        const defined = types.btf.find(type.of, type.name) ?? types.btf.find('fwd', type.name);
        if (defined !== undefined && defined !== type.id) {
          const found = types.type(defined);
          if (found.kind !== 'fwd' || found.of === type.of) return of(found);
        }
        return `${type.of} ${unique(tags, type.name)}`;
      }
      case 'typedef':
        return type.name === BUILTIN ? BUILTIN : unique(identifiers, type.name);
      default:
        return types.corrupt(type.id, `type ${type.id}, a ${type.kind}, is used as one that has a name`);
    }
  };
  const of = (type: BtfType): string => {
    let name = known.get(type.id);
    if (name === undefined) {
      name = make(type);
      known.set(type.id, name);
    }
    return name;
  };
  return { of, enumerator: (name) => unique(identifiers, name) };
}

/** The compiler has it. */
export const BUILTIN = '__builtin_va_list';
