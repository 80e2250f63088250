import type { BtfType } from '../types.ts';
import { BUILTIN, isC } from './names.ts';
import type { Types } from './types.ts';

/** What is to be written, in the order that C wants. */
export interface Sink {
  /** The definition of a named type, or of a number that C does not know. */
  define(type: BtfType): void;
  /** A struct or union of which only a pointer is needed. */
  declareTag(type: BtfType): void;
}

/** How much C must know of a type at some place: that it exists, or all of it. */
const EXISTS = 1;
const COMPLETE = 2;
type Need = typeof EXISTS | typeof COMPLETE;

/**
 * Visits what a type needs, then the type. C wants a definition before a use; a pointer to a struct or union needs no
 * more than a declaration, which is what ends circles. Those that remain cannot be written in C.
 */
export function openOrder(types: Types, sink: Sink): (id: number) => void {
  const done = new Map<number, Need>();
  const visiting = new Set<number>();
  const declared = new Set<number>();

  function visit(id: number, need: Need, depth: number): void {
    if (id === 0 || (done.get(id) ?? 0) >= need) return;
    types.step(id, depth);
    const type = types.type(id);
    if (
      type.kind === 'fwd' ||
      (need === EXISTS && type.name !== '' && (type.kind === 'struct' || type.kind === 'union'))
    ) {
      if (!declared.has(id)) sink.declareTag(type);
      declared.add(id);
      return;
    }
    if (visiting.has(id)) types.corrupt(id, `type ${id} '${type.name}' needs itself`);
    visiting.add(id);
    switch (type.kind) {
      case 'int':
      case 'float':
        if (!isC(type)) sink.define(type);
        break;
      case 'enum':
      case 'enum64':
        if (type.name !== '') sink.define(type);
        break;
      case 'struct':
      case 'union':
        for (const { typeId } of type.members) visit(typeId, COMPLETE, depth + 1);
        if (type.name !== '') sink.define(type);
        declared.add(id);
        break;
      case 'typedef':
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type_tag':
        if (type.name === BUILTIN) break;
        // It is there once what it stands for is declared, which may use it before that is complete.
        if (!done.has(id)) {
          visit(type.typeId, EXISTS, depth + 1);
          if (type.kind === 'typedef') sink.define(type);
          done.set(id, EXISTS);
        }
        if (need === COMPLETE) visit(type.typeId, COMPLETE, depth + 1);
        done.set(id, need);
        visiting.delete(id);
        return;
      case 'ptr':
        visit(type.typeId, EXISTS, depth + 1);
        break;
      case 'array':
        // C knows no array of what is incomplete, not even behind a pointer.
        visit(type.typeId, COMPLETE, depth + 1);
        break;
      case 'func_proto':
        for (const { typeId } of type.params) visit(typeId, EXISTS, depth + 1);
        visit(type.returnTypeId, EXISTS, depth + 1);
        break;
      case 'func':
      case 'var':
        visit(type.typeId, EXISTS, depth + 1);
        break;
    }
    visiting.delete(id);
    done.set(id, COMPLETE);
  }

  return (id) => visit(id, COMPLETE, 0);
}
