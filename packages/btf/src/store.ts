import { decodeType } from './decode.ts';
import { BtfError } from './error.ts';
import {
  type BtfKind,
  kindNumber,
  kinds,
  nameBytes,
  nextType,
  type RawBtf,
  stringIs,
  stringOwner,
  stringStart,
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

/** Look-ups by name that are answered by scanning; those after them share an index. */
const SCANS_BEFORE_INDEX = 8;

export function openStore(raw: RawBtf, base?: Store): Store {
  const { view, littleEndian } = raw;
  let starts = new Uint32Array(1024);
  let kindNumbers = new Uint8Array(1024);
  let known = 0;
  let next = raw.typesStart;
  let finds = 0;
  let index: NameIndex | undefined;

  function start(ordinal: number): number | undefined {
    while (known <= ordinal) {
      if (next >= raw.typesEnd) return undefined;
      if (known === starts.length) grow();
      const at = next;
      next = nextType(raw, at);
      kindNumbers[known] = kindNumber(view.getUint32(at + 4, littleEndian));
      starts[known++] = at;
    }
    return starts[ordinal];
  }

  function grow(): void {
    const [smallerStarts, smallerKinds] = [starts, kindNumbers];
    starts = new Uint32Array(known * 4);
    starts.set(smallerStarts);
    kindNumbers = new Uint8Array(known * 4);
    kindNumbers.set(smallerKinds);
  }

  function place(id: number): { raw: RawBtf; at: number } | undefined {
    if (id < raw.firstId) return base?.place(id);
    const at = start(id - raw.firstId);
    return at === undefined ? undefined : { raw, at };
  }

  function scan(kind: number, name: Uint8Array): number | undefined {
    for (let ordinal = 0; ordinal < known || start(ordinal) !== undefined; ordinal++) {
      if (kindNumbers[ordinal] !== kind) continue;
      const at = starts[ordinal] as number;
      if (stringIs(raw, view.getUint32(at, littleEndian), name)) return raw.firstId + ordinal;
    }
    return undefined;
  }

  function find(kind: BtfKind, name: string): number | undefined {
    const inBase = base?.find(kind, name);
    if (inBase !== undefined) return inBase;
    const number = kinds.indexOf(kind);
    const bytes = nameBytes(name);
    if (finds++ < SCANS_BEFORE_INDEX) return scan(number, bytes);
    index ??= buildIndex(raw, start);
    return index(number, bytes);
  }

  function count(): number {
    while (start(known) !== undefined);
    return raw.firstId - 1 + known;
  }

  return { raw, place, start, find, count };
}

type NameIndex = (kind: number, name: Uint8Array) => number | undefined;

/** A hash table of ids by kind and name: open addressing, lowest id first. */
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
      if (same && stringIs(raw, view.getUint32(at, littleEndian), name)) return raw.firstId + entry - 1;
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
