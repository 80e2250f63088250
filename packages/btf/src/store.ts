import { decodeType } from './decode.ts';
import { BtfError } from './error.ts';
import {
  type BtfKind,
  corruptType,
  kindNumber,
  kinds,
  nameBytes,
  type RawBtf,
  stringIs,
  stringOwner,
  stringStart,
  TYPE_BYTES,
  typeBytes,
} from './raw.ts';
import type { BtfType } from './types.ts';

/** The types of some bytes of BTF and of their base: found by id and by name, scanned no further than asked. */
export interface Store {
  readonly raw: RawBtf;
  /** The bytes that hold a type, and where in them it starts; undefined when there are not so many types. */
  place(id: number): { readonly raw: RawBtf; readonly at: number } | undefined;
  /** Where the type of `raw` with this number starts, from 0; undefined when there are not so many. */
  start(ordinal: number): number | undefined;
  /** The id of the first type of this kind with this name. */
  find(kind: BtfKind, name: string): number | undefined;
  /** The ids of all types, those of the base first: 1..count. Scans everything. */
  count(): number;
}

/** As many types are scanned at once: one at a time takes longer. */
const AHEAD = 1024;
/** Of so many types, 2 to this power, the place of the first is kept; the others are found from there. */
const STRIDE_BITS = 3;
const STRIDE = 1 << STRIDE_BITS;

/** Look-ups by name that are answered by scanning; those after them share an index. */
const SCANS_BEFORE_INDEX = 8;

export function openStore(raw: RawBtf, base?: Store): Store {
  const { view, littleEndian, typesStart, typesEnd } = raw;
  let marks = new Uint32Array(AHEAD / STRIDE);
  /** The types that were scanned, and where the next one starts. */
  let known = 0;
  let next = typesStart;
  /** The type that was asked for last: mostly the one after it is next. */
  let lastOrdinal = 0;
  let lastAt = typesStart;
  let finds = 0;
  let index: NameIndex | undefined;

  function start(ordinal: number): number | undefined {
    while (known <= ordinal) {
      if (next >= typesEnd) return undefined;
      scanMore();
    }
    if (ordinal < lastOrdinal || ordinal >= lastOrdinal + STRIDE) {
      lastOrdinal = ordinal - (ordinal % STRIDE);
      lastAt = marks[ordinal >> STRIDE_BITS] as number;
    }
    for (; lastOrdinal < ordinal; lastOrdinal++) lastAt += typeBytes(view.getUint32(lastAt + 4, littleEndian));
    return lastAt;
  }

  /** Goes over the next types, at least one. Returns the first of this kind and name. */
  function scanMore(kind = 0, name?: Uint8Array): number | undefined {
    let found: number | undefined;
    if (known / STRIDE === marks.length) grow();
    const places = marks;
    let at = next;
    let ordinal = known;
    for (const end = known + AHEAD; ordinal < end && at + TYPE_BYTES <= typesEnd; ordinal++) {
      const info = view.getUint32(at + 4, littleEndian);
      const after = at + typeBytes(info);
      if (after === at || after > typesEnd) break;
      if (ordinal % STRIDE === 0) places[ordinal >> STRIDE_BITS] = at;
      if (kindNumber(info) === kind && found === undefined && name && hasName(at, name)) found = ordinal;
      at = after;
    }
    // One that is corrupt is an error when it is its turn.
    if (ordinal === known) corruptType(raw, at);
    known = ordinal;
    next = at;
    return found;
  }

  function grow(): void {
    const larger = new Uint32Array(marks.length * 4);
    larger.set(marks);
    marks = larger;
  }

  function place(id: number): { raw: RawBtf; at: number } | undefined {
    if (id < raw.firstId) return base?.place(id);
    const at = start(id - raw.firstId);
    return at === undefined ? undefined : { raw, at };
  }

  function hasName(at: number, name: Uint8Array): boolean {
    return stringIs(raw, view.getUint32(at, littleEndian), name);
  }

  function scan(kind: number, name: Uint8Array): number | undefined {
    for (let ordinal = 0, at = typesStart; ordinal < known; ordinal++) {
      const info = view.getUint32(at + 4, littleEndian);
      if (kindNumber(info) === kind && hasName(at, name)) return ordinal;
      at += typeBytes(info);
    }
    let found: number | undefined;
    while (found === undefined && next < typesEnd) found = scanMore(kind, name);
    return found;
  }

  function find(kind: BtfKind, name: string): number | undefined {
    const inBase = base?.find(kind, name);
    if (inBase !== undefined) return inBase;
    const number = kinds.indexOf(kind);
    const bytes = nameBytes(name);
    if (finds++ >= SCANS_BEFORE_INDEX) index ??= buildIndex(raw, start);
    const ordinal = index ? index(number, bytes) : scan(number, bytes);
    return ordinal === undefined ? undefined : raw.firstId + ordinal;
  }

  function count(): number {
    while (next < typesEnd) scanMore();
    return raw.firstId - 1 + known;
  }

  return { raw, place, start, find, count };
}

type NameIndex = (kind: number, name: Uint8Array) => number | undefined;

/** A hash table of ordinals by kind and name: open addressing, the lowest first. */
function buildIndex(raw: RawBtf, start: (ordinal: number) => number | undefined): NameIndex {
  const { view, littleEndian } = raw;
  let count = 0;
  while (start(count) !== undefined) count++;
  const slots = 2 ** Math.ceil(Math.log2(count * 2 + 2));
  const table = new Uint32Array(slots);
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const at = start(ordinal) as number;
    const name = view.getUint32(at, littleEndian);
    if (name === 0) continue;
    let slot = hashAt(raw, name, kindNumber(view.getUint32(at + 4, littleEndian))) & (slots - 1);
    while (table[slot] !== 0) slot = (slot + 1) & (slots - 1);
    table[slot] = ordinal + 1;
  }
  return (kind, name) => {
    let slot = hash(name, kind) & (slots - 1);
    for (let entry = table[slot]; entry; entry = table[slot]) {
      const at = start(entry - 1) as number;
      const same = kindNumber(view.getUint32(at + 4, littleEndian)) === kind;
      if (same && stringIs(raw, view.getUint32(at, littleEndian), name)) return entry - 1;
      slot = (slot + 1) & (slots - 1);
    }
    return undefined;
  };
}

/** FNV-1a of a name and a kind. */
function hash(name: Uint8Array, kind: number): number {
  let value = 0x811c9dc5 ^ kind;
  for (const byte of name) value = Math.imul(value ^ byte, 0x01000193);
  return value ^ (value >>> 15);
}

/** The same of the string at an offset; a string that does not end is cut. */
function hashAt(raw: RawBtf, offset: number, kind: number): number {
  const owner = stringOwner(raw, offset);
  let value = 0x811c9dc5 ^ kind;
  for (let at = stringStart(owner, offset); at < owner.stringsEnd; at++) {
    const byte = owner.view.getUint8(at);
    if (byte === 0) break;
    value = Math.imul(value ^ byte, 0x01000193);
  }
  return value ^ (value >>> 15);
}

/** The type with this id, decoded. @throws BtfError `NOT_FOUND` */
export function typeOf(store: Store, id: number): BtfType {
  if (id === 0) return { id, kind: 'void', name: '' };
  const place = Number.isInteger(id) && id > 0 ? store.place(id) : undefined;
  if (!place) throw new BtfError('NOT_FOUND', `there is no type with id ${id}`);
  return decodeType(place.raw, id, place.at);
}
