import { misfit, type Path, show } from './path.ts';
import { invalidSchema, makeSchema, type Schema } from './schema.ts';

const REPLACEMENT = 0xfffd;

/**
 * UTF-8 of some bytes up to the first NUL, as the WHATWG decodes it: a fault becomes U+FFFD, one for each longest part of
 * a sequence. Here because TextDecoder is not part of the language.
 */
function decodeUtf8(view: DataView, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; ) {
    const first = view.getUint8(at++);
    if (first === 0) break;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const more =
      first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xf0 && first < 0xf5 ? 3 : 0;
    let code = more === 0 ? REPLACEMENT : first & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const byte = at < end ? view.getUint8(at) : 0;
      if (byte < (i === 0 ? lowest(first) : 0x80) || byte > (i === 0 ? highest(first) : 0xbf)) {
        code = REPLACEMENT;
        break;
      }
      code = (code << 6) | (byte & 0x3f);
      at++;
    }
    text += String.fromCodePoint(code);
  }
  return text;
}

/** The second byte's range, which keeps out overlong forms, surrogates and what is above U+10FFFF. */
const lowest = (first: number): number => (first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80);
const highest = (first: number): number => (first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf);

/** The bytes of a text, or what is wrong with it. */
function encodeUtf8(text: string, path: Path | undefined): number[] {
  const bytes: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code === 0) misfit(path, `${show(text)} holds a NUL, where decoding would cut it`);
    if (code >= 0xd800 && code < 0xe000) misfit(path, `${show(text)} holds half of a surrogate pair`);
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x1_0000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    else
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return bytes;
}

function tooLong(path: Path | undefined, text: string, length: number): never {
  return misfit(path, `${show(text)} is longer than ${length} bytes`);
}

/** Writes a text that is ASCII; whether it is. */
function writeAscii(view: DataView, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0 || code > 0x7f) return false;
    view.setUint8(at + i, code);
  }
  return true;
}

/** `char[length]`, of any length. */
export function charArray(length: number): Schema<string> {
  return makeSchema(
    length,
    1,
    { kind: 'char' },
    (view, at) => decodeUtf8(view, at, at + length),
    (view, at, value, path) => {
      if (typeof value !== 'string') misfit(path, `${show(value)} is not a string`);
      // A code unit is at least one byte: what is far too long is not gone through.
      if (value.length > length) tooLong(path, value, length);
      if (writeAscii(view, at, value)) return;
      const bytes = encodeUtf8(value, path);
      if (bytes.length > length) tooLong(path, value, length);
      for (let i = 0; i < bytes.length; i++) view.setUint8(at + i, bytes[i] as number);
    },
  );
}

/**
 * `char[length]`: a string, cut at the first NUL. UTF-8; bytes that are not become U+FFFD, so use {@link bytes} for what
 * is not text. Encoding pads with zeros, and takes a string of all `length` bytes: then no NUL ends it.
 *
 * @throws BtfError `INVALID_TYPE` for a length that is not a whole number from 1
 */
export function char(length: number): Schema<string> {
  return charArray(lengthOf(length));
}

/**
 * `unsigned char[length]`: a copy of the bytes. Encoding takes exactly as many.
 *
 * @throws BtfError `INVALID_TYPE` for a length that is not a whole number from 1
 */
export function bytes(length: number): Schema<Uint8Array> {
  return makeSchema(
    lengthOf(length),
    1,
    { kind: 'bytes' },
    (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, length).slice(),
    (view, at, value, path) => {
      if (!(value instanceof Uint8Array)) misfit(path, `${show(value)} is not a Uint8Array`);
      if (value.length !== length) misfit(path, `${value.length} bytes were given; it has ${length}`);
      new Uint8Array(view.buffer, view.byteOffset + at, length).set(value);
    },
  );
}

/** A length that C takes. */
export function lengthOf(length: number): number {
  if (Number.isInteger(length) && length > 0 && length <= 0x7fff_ffff) return length;
  return invalidSchema(`the length ${length} is not a whole number in 1..2147483647`);
}
