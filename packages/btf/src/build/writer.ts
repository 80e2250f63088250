import { BtfError } from '../error.ts';
import type { RawBtf } from '../raw.ts';

/** Bytes that grow by u32s. */
export interface Writer {
  u32(value: number): void;
  bytes(): Uint8Array;
}

export function createWriter(littleEndian: boolean): Writer {
  let view = new DataView(new ArrayBuffer(4096));
  let length = 0;
  return {
    u32(value) {
      if (length === view.byteLength) {
        const larger = new Uint8Array(length * 2);
        larger.set(new Uint8Array(view.buffer));
        view = new DataView(larger.buffer);
      }
      view.setUint32(length, value, littleEndian);
      length += 4;
    },
    bytes: () => new Uint8Array(view.buffer, 0, length),
  };
}

/** A string section: every string once, in the order of first use, after those of the base. */
export interface Strings {
  /** The offset of a string, which is added when it is not there. @throws BtfError `INVALID_TYPE` */
  offset(text: string): number;
  bytes(): Uint8Array;
}

/** @param base what this one goes on from, whose strings are not repeated */
export function createStrings(base: RawBtf | undefined): Strings {
  const offsets = new Map([['', 0]]);
  if (base) readStrings(base, offsets);
  const start = base ? base.firstString + base.stringsEnd - base.stringsStart : 0;
  // Split BTF starts with no empty string of its own: offset 0 is the base's.
  const added: string[] = base ? [] : [''];
  let length = start + added.length;
  return {
    offset(text) {
      const known = offsets.get(text);
      if (known !== undefined) return known;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code === 0) throw new BtfError('INVALID_TYPE', `the name '${text.slice(0, i)}' goes on after a NUL`);
        if (code > 0xff)
          throw new BtfError('INVALID_TYPE', `the name '${text}' is not in bytes: character ${i + 1} is above U+00FF`);
      }
      const offset = length;
      offsets.set(text, offset);
      added.push(text);
      length += text.length + 1;
      return offset;
    },
    bytes() {
      const bytes = new Uint8Array(length - start);
      let at = 0;
      for (const text of added) {
        for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i);
        at++;
      }
      return bytes;
    },
  };
}

/** Adds the strings of some BTF and of its bases. */
function readStrings(raw: RawBtf, offsets: Map<string, number>): void {
  if (raw.base) readStrings(raw.base, offsets);
  let text = '';
  let start = raw.stringsStart;
  for (let at = start; at < raw.stringsEnd; at++) {
    const byte = raw.view.getUint8(at);
    if (byte !== 0) {
      text += String.fromCharCode(byte);
      continue;
    }
    if (!offsets.has(text)) offsets.set(text, raw.firstString + start - raw.stringsStart);
    text = '';
    start = at + 1;
  }
}
