import type { BtfMember, BtfTypeOf } from '../types.ts';
import { type CLayout, type CLayouts, endOf, layoutOf, paddingBefore, roundUp } from './c-layout.ts';
import { declare, identifier, type Place, type Speller, type Tagged } from './declare.ts';

/** What bodies are written with. */
export interface BodyStyle extends Speller {
  readonly layouts: CLayouts;
  enumerator(name: string): string;
  /** What is said of a member after it, at this bit of the whole. Without it, there is padding where C needs it. */
  readonly comment?: (member: BtfMember, layout: CLayout, bit: number) => string;
}

const PADDING_BITS = 64;
/** Padding of more bits than this is an array. */
const ARRAY_BITS = 1024;
/** Where comments start. */
const COMMENT_COLUMN = 56;

/** The definition of a struct, union or enum: `struct NAME {`, its members and `}` with what C needs to know. */
export function bodyOf(style: BodyStyle, type: Tagged, place: Place): string {
  return type.kind === 'enum' || type.kind === 'enum64' ? enumeration(style, type, place) : record(style, type, place);
}

function record(style: BodyStyle, type: BtfTypeOf<'struct' | 'union'>, place: Place): string {
  const { types, layouts } = style;
  const own = layoutOf(types, layouts, type.id);
  const head = type.name === '' ? type.kind : style.name(type);
  const indent = `${place.indent}\t`;
  if (own.opaque && !style.comment)
    return `${head} {\n${indent}/* C has no such layout. */\n${indent}char ___bytes[${type.size}];\n${place.indent}}`;

  const lines: string[] = [];
  let at = 0;
  for (const member of type.members) {
    const layout = layoutOf(types, layouts, member.typeId);
    if (type.kind === 'struct') {
      if (style.comment) lines.push(...hole(at, member.bitOffset));
      else lines.push(...padding(at, at + (paddingBefore(at, member, layout, own.packed) ?? 0)));
    }
    const bits = member.bitSize > 0 ? `: ${member.bitSize}` : '';
    const bit = place.bit + member.bitOffset;
    const text = `${memberText(style, member, { indent, depth: place.depth + 1, bit })}${bits};`;
    lines.push(style.comment ? withComment(indent, text, style.comment(member, layout, bit)) : text);
    at = Math.max(at, endOf(member, layout));
  }
  const end = type.size * 8;
  if (style.comment) {
    if (type.kind === 'struct') lines.push(...hole(at, end, 'padding'));
  } else if (type.kind === 'struct' && type.members.length > 0) {
    if (roundUp(at, own.align * 8) !== end) lines.push(...padding(at, end));
  } else if (roundUp(at, own.align * 8) !== end) {
    lines.push(`char ___bytes[${type.size}];`);
  }
  const body = lines.map((line) => `${indent}${line}\n`).join('');
  return `${head} {\n${body}${place.indent}}${own.packed ? ' __attribute__((packed))' : ''}`;
}

function memberText(style: BodyStyle, { name, typeId }: BtfMember, place: Place): string {
  if (name === '') {
    const type = style.types.behind(typeId);
    style.types.step(typeId, place.depth);
    // Also where it has a name (-fms-extensions), which standard C does not take for a member.
    if (type.kind === 'struct' || type.kind === 'union') return style.body({ ...type, name: '' }, place);
  }
  return declare(style, typeId, identifier(name), place);
}

/** Members that hold a place: unnamed bitfields, and arrays where these were too many. */
function padding(from: number, to: number): string[] {
  const lines: string[] = [];
  let at = from;
  while (at < to) {
    const unit = Math.floor(at / PADDING_BITS) * PADDING_BITS;
    if (at === unit && to - at > ARRAY_BITS) {
      const bytes = Math.floor((to - at) / PADDING_BITS) * (PADDING_BITS / 8);
      lines.push(`char ___padding_${at / 8}[${bytes}];`);
      at += bytes * 8;
      continue;
    }
    const end = Math.min(to, unit + PADDING_BITS);
    lines.push(`long: ${end - at};`);
    at = end;
  }
  return lines;
}

/** The same for people. */
function hole(from: number, to: number, what = 'hole'): string[] {
  if (to <= from) return [];
  const bits = to - from;
  const size =
    bits % 8 === 0 ? `${bits / 8} ${bits === 8 ? 'byte' : 'bytes'}` : `${bits} ${bits === 1 ? 'bit' : 'bits'}`;
  return [`/* ${size} ${what} */`];
}

/** The comment, in its column of the last line. */
function withComment(indent: string, text: string, comment: string): string {
  const start = text.lastIndexOf('\n') + 1;
  const last = start === 0 ? indent + text : text.slice(start);
  const width = last.length + 7 * (last.length - last.replaceAll('\t', '').length);
  return `${text}${' '.repeat(Math.max(1, COMMENT_COLUMN - width))}${comment}`;
}

/** The modes that give an enum another size than an int's. */
const modes: Readonly<Record<number, string>> = { 1: 'QI', 2: 'HI', 8: 'DI' };

function enumeration(style: BodyStyle, type: BtfTypeOf<'enum' | 'enum64'>, place: Place): string {
  const head = type.name === '' ? 'enum' : style.name(type);
  // An enum that was only ever declared.
  if (type.values.length === 0) return type.name === '' ? 'int' : head;
  const lines = type.values.map(
    ({ name, value }) => `${place.indent}\t${style.enumerator(name)} = ${literal(value, type.signed)},\n`,
  );
  const mode = modes[type.size];
  return `${head} {\n${lines.join('')}${place.indent}}${mode ? ` __attribute__((mode(${mode})))` : ''}`;
}

function literal(value: number | bigint, signed: boolean): string {
  if (typeof value === 'number') return String(value);
  // The lowest has no literal: C reads a minus and a number that is too large.
  if (value === -(2n ** 63n)) return '-9223372036854775807LL - 1';
  return `${value}${signed ? 'LL' : 'ULL'}`;
}
