import { corrupt } from '../error.ts';
import { nameBytes, type RawBtf, stringOwner, stringStart } from '../raw.ts';

// Text that is put together as bytes: names are copied from BTF as they are, with nothing made for each of them.
//
// Each function writes at a place and returns the one after, which so stays in a register: a field takes half as long again.
// Bytes beyond the end of the array are dropped, as JavaScript does: who sees the place beyond the end writes again, with
// more room.

/** For each byte that does not stand for itself, what does. */
export type Escapes = readonly (Uint8Array | undefined)[];

export function put(to: Uint8Array, at: number, text: Uint8Array): number {
  const { length } = text;
  for (let i = 0; i < length; i++) to[at + i] = text[i] as number;
  return at + length;
}

/** A number after its name. */
export function putField(to: Uint8Array, at: number, text: Uint8Array, value: number): number {
  return putNumber(to, put(to, at, text), value);
}

/** A number from 0, which is to be below 2^31 as a rule: V8 makes fast code of this while it always is. */
function putNumber(to: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit; limit *= 10) digits++;
  const end = at + digits;
  let rest = value;
  for (let place = end - 1; place >= at; place--) {
    const tenth = rest < 0x8000_0000 ? (rest / 10) | 0 : Math.floor(rest / 10);
    to[place] = 0x30 + rest - tenth * 10;
    rest = tenth;
  }
  return end;
}

/** A number from 0 which may well be large. */
export function putUnsigned(to: Uint8Array, at: number, value: number): number {
  return value < 1_000_000_000 ? putNumber(to, at, value) : put(to, at, nameBytes(String(value)));
}

export function putSigned(to: Uint8Array, at: number, value: number): number {
  if (value >= 0) return putUnsigned(to, at, value);
  to[at] = 0x2d;
  return putUnsigned(to, at + 1, -value);
}

const ANONYMOUS = nameBytes('(anon)');

/** The string at an offset of BTF's strings. */
export function putName(to: Uint8Array, at: number, raw: RawBtf, offset: number): number {
  if (offset === 0) return put(to, at, ANONYMOUS);
  const owner = stringOwner(raw, offset);
  const start = stringStart(owner, offset);
  const { bytes, stringsEnd } = owner;
  let place = at;
  for (let from = start; from < stringsEnd; from++) {
    const byte = bytes[from] as number;
    if (byte === 0) return place;
    to[place++] = byte;
  }
  return corrupt(start, 'a string does not end inside the string section');
}

/** The same with some bytes replaced: a function of its own, because the test for each byte takes time. */
export function putEscaped(to: Uint8Array, at: number, raw: RawBtf, offset: number, escapes: Escapes): number {
  const name = new Uint8Array(putName(NOWHERE, 0, raw, offset));
  putName(name, 0, raw, offset);
  let place = at;
  for (const byte of name) {
    const escaped = escapes[byte];
    if (escaped) place = put(to, place, escaped);
    else to[place++] = byte;
  }
  return place;
}

/** Nothing that is written here stays: for the length. */
const NOWHERE = new Uint8Array();
