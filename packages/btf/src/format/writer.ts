import { corrupt } from '../error.ts';
import type { RawBtf } from '../raw.ts';

/** Bytes of one chunk of output; a record may make it longer. */
const CHUNK_BYTES = 64 * 1024;
/** No number is longer. */
const NUMBER_BYTES = 20;

/** Text that is put together as bytes: names are copied from BTF as they are, with nothing made for each of them. */
export interface Writer {
  /** Whether there is a chunk's worth. */
  full(): boolean;
  /** What was written since the last time. */
  take(): Uint8Array;
  put(text: Uint8Array): void;
  number(value: number): void;
  /** The string at an offset of BTF's strings. */
  name(raw: RawBtf, offset: number): void;
}

/**
 * @param anonymous what stands for the empty name
 * @param escapes for each byte, what stands for it in a name
 */
export function openWriter(anonymous: Uint8Array, escapes?: readonly (Uint8Array | undefined)[]): Writer {
  let out = new Uint8Array(CHUNK_BYTES + CHUNK_BYTES / 4);
  let at = 0;

  function reserve(bytes: number): void {
    if (at + bytes <= out.length) return;
    const larger = new Uint8Array(Math.max(out.length * 2, at + bytes));
    larger.set(out);
    out = larger;
  }

  // Loops have what they change in variables of their own, which is twice as fast.
  function put(text: Uint8Array): void {
    const { length } = text;
    reserve(length);
    const to = out;
    const start = at;
    for (let i = 0; i < length; i++) to[start + i] = text[i] as number;
    at = start + length;
  }

  function number(value: number): void {
    reserve(NUMBER_BYTES);
    const to = out;
    let rest = value;
    if (rest < 0) {
      to[at++] = 0x2d;
      rest = -rest;
    }
    let digits = 1;
    for (let limit = 10; rest >= limit; limit *= 10) digits++;
    const start = at;
    at = start + digits;
    for (let place = at - 1; place >= start; place--) {
      // The rest is small after the first digit.
      const tenth = rest < 0x8000_0000 ? (rest / 10) | 0 : Math.floor(rest / 10);
      to[place] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
  }

  let owner: RawBtf | undefined;
  let bytes: Uint8Array = new Uint8Array();
  function name(raw: RawBtf, offset: number): void {
    if (offset === 0) {
      put(anonymous);
      return;
    }
    let holder = raw;
    while (offset < holder.firstString && holder.base) holder = holder.base;
    if (holder !== owner) {
      owner = holder;
      bytes = new Uint8Array(holder.view.buffer, holder.view.byteOffset, holder.stringsEnd);
    }
    const from = bytes;
    const start = holder.stringsStart + offset - holder.firstString;
    let end = start;
    while (end < from.length && from[end] !== 0) end++;
    if (end >= from.length) corrupt(start, 'a string does not end inside the string section');
    reserve(end - start);
    const to = out;
    let place = at;
    for (let i = start; i < end; i++) {
      const byte = from[i] as number;
      if (escapes?.[byte]) {
        at = place;
        for (let rest = i; rest < end; rest++) putEscaped(from[rest] as number, escapes);
        return;
      }
      to[place++] = byte;
    }
    at = place;
  }

  function putEscaped(byte: number, escapes: readonly (Uint8Array | undefined)[]): void {
    const escaped = escapes[byte];
    if (escaped) put(escaped);
    else {
      reserve(1);
      out[at++] = byte;
    }
  }

  return {
    full: () => at >= CHUNK_BYTES,
    take() {
      const chunk = out.subarray(0, at);
      out = new Uint8Array(CHUNK_BYTES + CHUNK_BYTES / 4);
      at = 0;
      return chunk;
    },
    put,
    number,
    name,
  };
}
