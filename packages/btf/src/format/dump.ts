import { type Btf, storeOf } from '../btf.ts';
import {
  ENTRY_BYTES,
  kindFlag,
  kindNumber,
  kinds,
  nameBytes,
  nextType,
  type RawBtf,
  SHORT_ENTRY_BYTES,
  TYPE_BYTES,
  vlen,
} from '../raw.ts';
import { openWriter } from './writer.ts';

/** How a dump is written. Both dumps of bpftool hold the same fields in the same order. */
export interface Syntax {
  readonly begin: string;
  readonly end: string;
  /** Between two types. */
  readonly between: string;
  /** What is before the id, between it and the name, and after the name. */
  readonly type: readonly [before: string, kind: (kind: string) => string, after: string, end: string];
  readonly field: (name: string) => string;
  readonly word: (name: string, value: string) => string;
  /** The linkage of a variable. */
  readonly varLinkage: (value: string) => string;
  /** The list of what a type has several of. */
  readonly list: (name: string) => string;
  readonly listEnd: string;
  /** An entry: before it, between two, around its name, and after it. */
  readonly entry: string;
  readonly nextEntry: string;
  readonly entryName: readonly [before: string, after: string];
  /** The first field of an entry that has no name. */
  readonly entryField: (name: string) => string;
  readonly entryEnd: string;
  /** After 64-bit values: signed, unsigned. */
  readonly long: readonly [signed: string, unsigned: string];
  /** Around the kind and name of a section's variable; JSON has none. */
  readonly sectionVar?: readonly [before: (kind: string) => string, after: string];
  readonly escapes?: readonly (Uint8Array | undefined)[];
}

const kindNames = kinds.map((kind) => (kind === 'void' ? 'UNKNOWN' : kind.toUpperCase()));
const UNKNOWN = '(unknown)';
const linkages = ['static', 'global', 'extern'];
const encodings = ['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'];

/** Writes the types that are in these bytes, those of a base not included, in the order of ids. */
export function* dump(btf: Btf, syntax: Syntax): Generator<Uint8Array, void, undefined> {
  const store = storeOf(btf);
  const { raw } = store;
  const writer = openWriter(nameBytes('(anon)'), syntax.escapes);
  const write = typeWriter(raw, syntax, (id) => (id === 0 ? undefined : store.place(id)), writer);
  const between = nameBytes(syntax.between);
  writer.put(nameBytes(syntax.begin));
  let id = raw.firstId;
  for (let at = raw.typesStart; at < raw.typesEnd; id++) {
    if (id > raw.firstId) writer.put(between);
    const next = nextType(raw, at);
    write(id, at);
    at = next;
    if (writer.full()) yield writer.take();
  }
  writer.put(nameBytes(syntax.end));
  yield writer.take();
}

/** Writes the type whose record starts at `at`, which lies within the bytes. */
function typeWriter(
  raw: RawBtf,
  syntax: Syntax,
  place: (id: number) => { readonly raw: RawBtf; readonly at: number } | undefined,
  { put, number, name }: ReturnType<typeof openWriter>,
): (id: number, at: number) => void {
  const { view, littleEndian } = raw;
  const u32 = (at: number): number => view.getUint32(at, littleEndian);
  const i32 = (at: number): number => view.getInt32(at, littleEndian);
  const field = (text: string): Uint8Array => nameBytes(syntax.field(text));
  const words = (text: string, values: readonly (string | undefined)[]): (Uint8Array | undefined)[] =>
    values.map((value) => (value === undefined ? undefined : nameBytes(syntax.word(text, value))));

  const before = nameBytes(syntax.type[0]);
  const kindTexts = kindNames.map((kind) => nameBytes(syntax.type[1](kind)));
  const afterName = nameBytes(syntax.type[2]);
  const end = nameBytes(syntax.type[3]);
  const typeId = field('type_id');
  const size = field('size');
  const count = field('vlen');
  const bitsOffset = field('bits_offset');
  const bits = field('nr_bits');
  const indexTypeId = field('index_type_id');
  const elements = field('nr_elems');
  const bitfieldSize = field('bitfield_size');
  const returnTypeId = field('ret_type_id');
  const componentIndex = field('component_idx');
  const offset = field('offset');
  const value = field('val');
  const encodingTexts = words('encoding', encodings);
  const unknownEncoding = nameBytes(syntax.word('encoding', 'UNKN'));
  const enumEncodings = words('encoding', ['UNSIGNED', 'SIGNED']) as [Uint8Array, Uint8Array];
  const fwdKinds = words('fwd_kind', ['struct', 'union']) as [Uint8Array, Uint8Array];
  const linkageTexts = words('linkage', linkages);
  const unknownLinkage = nameBytes(syntax.word('linkage', UNKNOWN));
  const varLinkages = linkages.map((linkage) => nameBytes(syntax.varLinkage(linkage)));
  const unknownVarLinkage = nameBytes(syntax.varLinkage(UNKNOWN));
  const members = nameBytes(syntax.list('members'));
  const values = nameBytes(syntax.list('values'));
  const params = nameBytes(syntax.list('params'));
  const vars = nameBytes(syntax.list('vars'));
  const listEnd = nameBytes(syntax.listEnd);
  const beforeEntry = nameBytes(syntax.entry + syntax.entryName[0]);
  const beforeNextEntry = nameBytes(syntax.nextEntry + syntax.entry + syntax.entryName[0]);
  const afterEntryName = nameBytes(syntax.entryName[1]);
  const entryTypeId = nameBytes(syntax.entry + syntax.entryField('type_id'));
  const nextEntryTypeId = nameBytes(syntax.nextEntry + syntax.entry + syntax.entryField('type_id'));
  const entryEnd = nameBytes(syntax.entryEnd);
  const longs = syntax.long.map(nameBytes) as [Uint8Array, Uint8Array];
  const sectionVars = kindNames.map((kind) => nameBytes(syntax.sectionVar?.[0](kind) ?? ''));
  const afterSectionVar = nameBytes(syntax.sectionVar?.[1] ?? '');

  const numberField = (text: Uint8Array, value: number): void => {
    put(text);
    number(value);
  };
  const entry = (i: number, at: number): void => {
    put(i === 0 ? beforeEntry : beforeNextEntry);
    name(raw, u32(at));
    put(afterEntryName);
  };
  const long = (at: number, signed: boolean): void => {
    const high = signed ? i32(at + 4) : u32(at + 4);
    if (high === 0) number(u32(at));
    else put(nameBytes(String((BigInt(high) << 32n) + BigInt(u32(at)))));
    put(longs[signed ? 0 : 1]);
  };

  return (id, at) => {
    const info = u32(at + 4);
    const kind = kindNumber(info);
    const flag = kindFlag(info);
    const more = at + TYPE_BYTES;
    put(before);
    number(id);
    put(kindTexts[kind] as Uint8Array);
    name(raw, u32(at));
    put(afterName);
    switch (kinds[kind]) {
      case 'int': {
        const word = u32(more);
        numberField(size, u32(at + 8));
        numberField(bitsOffset, (word >>> 16) & 0xff);
        numberField(bits, word & 0xff);
        put(encodingTexts[(word >>> 24) & 0xf] ?? unknownEncoding);
        break;
      }
      case 'array':
        numberField(typeId, u32(more));
        numberField(indexTypeId, u32(more + 4));
        numberField(elements, u32(more + 8));
        break;
      case 'struct':
      case 'union':
        numberField(size, u32(at + 8));
        numberField(count, vlen(info));
        put(members);
        for (let i = 0; i < vlen(info); i++) {
          const member = more + i * ENTRY_BYTES;
          const place = u32(member + 8);
          entry(i, member);
          numberField(typeId, u32(member + 4));
          numberField(bitsOffset, flag ? place & 0xff_ffff : place);
          if (flag && place >>> 24 !== 0) numberField(bitfieldSize, place >>> 24);
          put(entryEnd);
        }
        put(listEnd);
        break;
      case 'enum':
      case 'enum64': {
        const bytes = kinds[kind] === 'enum' ? SHORT_ENTRY_BYTES : ENTRY_BYTES;
        put(enumEncodings[flag ? 1 : 0]);
        numberField(size, u32(at + 8));
        numberField(count, vlen(info));
        put(values);
        for (let i = 0; i < vlen(info); i++) {
          const enumerator = more + i * bytes;
          entry(i, enumerator);
          put(value);
          if (bytes === ENTRY_BYTES) long(enumerator + 4, flag);
          else number(flag ? i32(enumerator + 4) : u32(enumerator + 4));
          put(entryEnd);
        }
        put(listEnd);
        break;
      }
      case 'fwd':
        put(fwdKinds[flag ? 1 : 0]);
        break;
      case 'func':
        numberField(typeId, u32(at + 8));
        put(linkageTexts[vlen(info)] ?? unknownLinkage);
        break;
      case 'func_proto':
        numberField(returnTypeId, u32(at + 8));
        numberField(count, vlen(info));
        put(params);
        for (let i = 0; i < vlen(info); i++) {
          entry(i, more + i * SHORT_ENTRY_BYTES);
          numberField(typeId, u32(more + i * SHORT_ENTRY_BYTES + 4));
          put(entryEnd);
        }
        put(listEnd);
        break;
      case 'var':
        numberField(typeId, u32(at + 8));
        put(varLinkages[u32(more)] ?? unknownVarLinkage);
        break;
      case 'datasec':
        numberField(size, u32(at + 8));
        numberField(count, vlen(info));
        put(vars);
        for (let i = 0; i < vlen(info); i++) {
          const variable = more + i * ENTRY_BYTES;
          put(i === 0 ? entryTypeId : nextEntryTypeId);
          number(u32(variable));
          numberField(offset, u32(variable + 4));
          numberField(size, u32(variable + 8));
          const found = syntax.sectionVar && place(u32(variable));
          if (found) {
            put(sectionVars[kindNumber(found.raw.view.getUint32(found.at + 4, littleEndian))] as Uint8Array);
            name(found.raw, found.raw.view.getUint32(found.at, littleEndian));
            put(afterSectionVar);
          }
          put(entryEnd);
        }
        put(listEnd);
        break;
      case 'float':
        numberField(size, u32(at + 8));
        break;
      case 'decl_tag':
        numberField(typeId, u32(at + 8));
        numberField(componentIndex, i32(more));
        break;
      default:
        numberField(typeId, u32(at + 8));
    }
    put(end);
  };
}
