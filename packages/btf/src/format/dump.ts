import { type Btf, storeOf } from '../btf.ts';
import {
  type BtfKind,
  ENTRY_BYTES,
  kindFlag,
  kindNumber,
  kinds,
  nameBytes,
  type RawBtf,
  SHORT_ENTRY_BYTES,
  TYPE_BYTES,
  vlen,
} from '../raw.ts';
import { type Escapes, put, putEscaped, putField, putName, putSigned, putUnsigned } from './writer.ts';

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
  readonly escapes?: Escapes;
}

const kindNames = kinds.map((kind) => (kind === 'void' ? 'UNKNOWN' : kind.toUpperCase()));
const UNKNOWN = '(unknown)';
const linkages = ['static', 'global', 'extern'];
const encodings = ['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'];

/** Bytes of one chunk of output, and how much longer the last type may make it before more is allocated. */
const CHUNK_BYTES = 64 * 1024;
const SPARE_BYTES = 16 * 1024;

/** Writes the types that are in these bytes, those of a base not included, in the order of ids. */
export function* dump(btf: Btf, syntax: Syntax): Generator<Uint8Array, void, undefined> {
  const store = storeOf(btf);
  const { raw } = store;
  const write = typeWriter(raw, syntax, (id) => (id === 0 ? undefined : store.place(id)));
  let out = new Uint8Array(CHUNK_BYTES + SPARE_BYTES);
  let length = put(out, 0, nameBytes(syntax.begin));
  for (let ordinal = 0; ; ordinal++) {
    const record = store.start(ordinal);
    if (record === undefined) break;
    const start = length;
    length = write(out, start, ordinal, record);
    while (length > out.length) {
      const larger = new Uint8Array(out.length * 2);
      larger.set(out);
      out = larger;
      length = write(out, start, ordinal, record);
    }
    if (length < CHUNK_BYTES) continue;
    yield out.subarray(0, length);
    out = new Uint8Array(CHUNK_BYTES + SPARE_BYTES);
    length = 0;
  }
  length = put(out, length, nameBytes((store.count() < raw.firstId ? '' : syntax.type[3]) + syntax.end));
  yield out.subarray(0, length);
}

/** Writes what a kind adds to a type. */
type KindWriter = (to: Uint8Array, start: number, record: number, info: number) => number;

/**
 * Writes the type whose record starts at `record`, which lies within the bytes, to `to`, and returns where it ends there:
 * beyond the end, when there is not enough room for all of it. What ends a type comes before the next one: texts that
 * follow each other are written as one, which is faster.
 */
function typeWriter(
  raw: RawBtf,
  syntax: Syntax,
  place: (id: number) => { readonly raw: RawBtf; readonly at: number } | undefined,
): (to: Uint8Array, start: number, ordinal: number, record: number) => number {
  const { view, littleEndian } = raw;
  const u32 = (at: number): number => view.getUint32(at, littleEndian);
  const i32 = (at: number): number => view.getInt32(at, littleEndian);
  const field = (text: string): Uint8Array => nameBytes(syntax.field(text));
  const words = (text: string, values: readonly (string | undefined)[]): (Uint8Array | undefined)[] =>
    values.map((value) => (value === undefined ? undefined : nameBytes(syntax.word(text, value))));

  const before = nameBytes(syntax.type[0]);
  const beforeNext = nameBytes(syntax.type[3] + syntax.between + syntax.type[0]);
  const kindTexts = kindNames.map((kind) => nameBytes(syntax.type[1](kind)));
  const afterName = nameBytes(syntax.type[2]);
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
  const listEnds = [nameBytes(syntax.listEnd), nameBytes(syntax.entryEnd + syntax.listEnd)] as const;
  const listEnd = (to: Uint8Array, at: number, entries: number): number => put(to, at, listEnds[entries > 0 ? 1 : 0]);
  const beforeEntry = nameBytes(syntax.entry + syntax.entryName[0]);
  const beforeNextEntry = nameBytes(syntax.entryEnd + syntax.nextEntry + syntax.entry + syntax.entryName[0]);
  const nameThenTypeId = nameBytes(syntax.entryName[1] + syntax.field('type_id'));
  const nameThenValue = nameBytes(syntax.entryName[1] + syntax.field('val'));
  const entryTypeId = nameBytes(syntax.entry + syntax.entryField('type_id'));
  const nextEntryTypeId = nameBytes(syntax.entryEnd + syntax.nextEntry + syntax.entry + syntax.entryField('type_id'));
  const longs = syntax.long.map(nameBytes) as [Uint8Array, Uint8Array];
  const sectionVars = kindNames.map((kind) => nameBytes(syntax.sectionVar?.[0](kind) ?? ''));
  const afterSectionVar = nameBytes(syntax.sectionVar?.[1] ?? '');

  const { escapes } = syntax;
  const name = escapes
    ? (to: Uint8Array, at: number, owner: RawBtf, offset: number) => putEscaped(to, at, owner, offset, escapes)
    : putName;
  const entry = (to: Uint8Array, at: number, i: number, record: number): number =>
    name(to, put(to, at, i === 0 ? beforeEntry : beforeNextEntry), raw, u32(record));
  const long = (to: Uint8Array, at: number, record: number, signed: boolean): number => {
    const high = signed ? i32(record + 4) : u32(record + 4);
    const low = u32(record);
    const end =
      high === 0 ? putUnsigned(to, at, low) : put(to, at, nameBytes(String((BigInt(high) << 32n) + BigInt(low))));
    return put(to, end, longs[signed ? 0 : 1]);
  };

  const reference: KindWriter = (to, start, record) => putField(to, start, typeId, u32(record + 8));
  const sized: KindWriter = (to, start, record) => putField(to, start, size, u32(record + 8));
  const compound: KindWriter = (to, start, record, info) => {
    const flag = kindFlag(info);
    const entries = vlen(info);
    let at = putField(to, start, size, u32(record + 8));
    at = put(to, putField(to, at, count, entries), members);
    for (let i = 0; i < entries && at <= to.length; i++) {
      const member = record + TYPE_BYTES + i * ENTRY_BYTES;
      const place = u32(member + 8);
      at = entry(to, at, i, member);
      at = putField(to, at, nameThenTypeId, u32(member + 4));
      at = putField(to, at, bitsOffset, flag ? place & 0xff_ffff : place);
      if (flag && place >>> 24 !== 0) at = putField(to, at, bitfieldSize, place >>> 24);
    }
    return listEnd(to, at, entries);
  };
  const enumeration: KindWriter = (to, start, record, info) => {
    const flag = kindFlag(info);
    const entries = vlen(info);
    const bytes = kinds[kindNumber(info)] === 'enum' ? SHORT_ENTRY_BYTES : ENTRY_BYTES;
    let at = put(to, start, enumEncodings[flag ? 1 : 0]);
    at = putField(to, at, size, u32(record + 8));
    at = put(to, putField(to, at, count, entries), values);
    for (let i = 0; i < entries && at <= to.length; i++) {
      const enumerator = record + TYPE_BYTES + i * bytes;
      at = put(to, entry(to, at, i, enumerator), nameThenValue);
      if (bytes === ENTRY_BYTES) at = long(to, at, enumerator + 4, flag);
      else at = flag ? putSigned(to, at, i32(enumerator + 4)) : putUnsigned(to, at, u32(enumerator + 4));
    }
    return listEnd(to, at, entries);
  };
  const prototype: KindWriter = (to, start, record, info) => {
    const entries = vlen(info);
    let at = putField(to, start, returnTypeId, u32(record + 8));
    at = put(to, putField(to, at, count, entries), params);
    for (let i = 0; i < entries && at <= to.length; i++) {
      const param = record + TYPE_BYTES + i * SHORT_ENTRY_BYTES;
      at = entry(to, at, i, param);
      at = putField(to, at, nameThenTypeId, u32(param + 4));
    }
    return listEnd(to, at, entries);
  };
  const section: KindWriter = (to, start, record, info) => {
    const entries = vlen(info);
    let at = putField(to, start, size, u32(record + 8));
    at = put(to, putField(to, at, count, entries), vars);
    for (let i = 0; i < entries && at <= to.length; i++) {
      const variable = record + TYPE_BYTES + i * ENTRY_BYTES;
      at = putField(to, at, i === 0 ? entryTypeId : nextEntryTypeId, u32(variable));
      at = putField(to, at, offset, u32(variable + 4));
      at = putField(to, at, size, u32(variable + 8));
      const found = syntax.sectionVar && place(u32(variable));
      if (found) {
        const { view } = found.raw;
        at = put(to, at, sectionVars[kindNumber(view.getUint32(found.at + 4, littleEndian))] as Uint8Array);
        at = name(to, at, found.raw, view.getUint32(found.at, littleEndian));
        at = put(to, at, afterSectionVar);
      }
    }
    return listEnd(to, at, entries);
  };
  const none: KindWriter = (_, start) => start;

  // Each kind has a small function of its own: one of all would be compiled again for each kind that comes late.
  const writers: Readonly<Record<BtfKind, KindWriter>> = {
    void: none,
    int: (to, start, record) => {
      const word = u32(record + TYPE_BYTES);
      let at = sized(to, start, record, 0);
      at = putField(to, at, bitsOffset, (word >>> 16) & 0xff);
      at = putField(to, at, bits, word & 0xff);
      return put(to, at, encodingTexts[(word >>> 24) & 0xf] ?? unknownEncoding);
    },
    ptr: reference,
    array: (to, start, record) => {
      let at = putField(to, start, typeId, u32(record + TYPE_BYTES));
      at = putField(to, at, indexTypeId, u32(record + TYPE_BYTES + 4));
      return putField(to, at, elements, u32(record + TYPE_BYTES + 8));
    },
    struct: compound,
    union: compound,
    enum: enumeration,
    fwd: (to, start, _, info) => put(to, start, fwdKinds[kindFlag(info) ? 1 : 0]),
    typedef: reference,
    volatile: reference,
    const: reference,
    restrict: reference,
    func: (to, start, record, info) =>
      put(to, reference(to, start, record, info), linkageTexts[vlen(info)] ?? unknownLinkage),
    func_proto: prototype,
    var: (to, start, record, info) =>
      put(to, reference(to, start, record, info), varLinkages[u32(record + TYPE_BYTES)] ?? unknownVarLinkage),
    datasec: section,
    float: sized,
    decl_tag: (to, start, record, info) =>
      putSigned(to, put(to, reference(to, start, record, info), componentIndex), i32(record + TYPE_BYTES)),
    type_tag: reference,
    enum64: enumeration,
  };
  const byNumber = kinds.map((kind) => writers[kind]);

  return (to, start, ordinal, record) => {
    const info = u32(record + 4);
    const kind = kindNumber(info);
    let at = putField(to, start, ordinal === 0 ? before : beforeNext, raw.firstId + ordinal);
    at = put(to, at, kindTexts[kind] as Uint8Array);
    at = name(to, at, raw, u32(record));
    at = put(to, at, afterName);
    return (byNumber[kind] as KindWriter)(to, at, record, info);
  };
}
