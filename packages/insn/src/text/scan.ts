import type { Bits, Register } from '../insn.ts';
import {
  DIGIT,
  EQUALS,
  GREATER,
  HASH,
  LESS,
  LOWER_R,
  LOWER_S,
  LOWER_W,
  NEWLINE,
  ONE,
  OPERATOR,
  QUOTE,
  RETURN,
  SEMICOLON,
  SIGN,
  SLASH,
  SPACE,
  TAB,
  WORD,
  ZERO,
} from './chars.ts';
import { TextError } from './error.ts';

/**
 * - `register`: `r1`, `w1`
 * - `word`: a name or a keyword; `quoted`: a name in quotes, as in JSON
 * - `number`: without its sign
 * - `sign`: operators, brackets, punctuation
 * - `break`: what ends an instruction: a line's end, or `;`
 */
type TokenType = 'register' | 'word' | 'quoted' | 'number' | 'sign' | 'break' | 'end';

/** A place in a text, and the token that is there. `advance` moves it. */
export interface Scanner {
  readonly text: string;
  start: number;
  end: number;
  type: TokenType;
  /** Of a word, a quoted name and a sign. */
  word: string;
  /** Of a number: a bigint when a number cannot hold it. */
  value: number | bigint;
  /** Of a register: which, and 32 bits when it is written `w1`. */
  register: Register;
  bits: Bits;
}

/** A scanner that stands on the first token of a text. */
export function scanner(text: string): Scanner {
  const s: Scanner = { text, start: 0, end: 0, type: 'end', word: '', value: 0, register: 'r0', bits: 64 };
  advance(s);
  return s;
}

/** Moves to the next token, past white space and comments. */
export function advance(s: Scanner): void {
  const { text } = s;
  let at = s.end;
  let code = text.charCodeAt(at);
  while (code === SPACE || code === TAB || code === RETURN) code = text.charCodeAt(++at);
  const flags = flagsOf(code);
  if (flags & DIGIT) scanNumber(s, at);
  else if (flags & WORD) scanWord(s, at, code);
  else if (flags & SIGN && !(code === SLASH && text.charCodeAt(at + 1) === SLASH)) scanSign(s, at);
  else if (code === QUOTE) scanQuoted(s, at);
  else if (code === SEMICOLON && at === s.end && at > 0 && text.charCodeAt(at - 1) !== NEWLINE)
    // A ; that touches an instruction ends it, as in C; otherwise it starts a comment, as in the verifier's log.
    token(s, 'break', at, at + 1);
  else scanLineEnd(s, at, code);
}

/** The end of a line or of the text, with the comment before it. */
function scanLineEnd(s: Scanner, start: number, code: number): void {
  const { text } = s;
  let at = start;
  if (code === HASH || code === SEMICOLON || code === SLASH) {
    at = text.indexOf('\n', start);
    if (at < 0) at = text.length;
  }
  if (at >= text.length) token(s, 'end', at, at);
  else if (text.charCodeAt(at) === NEWLINE) token(s, 'break', at, at + 1);
  else throw syntaxError(s, 'unexpected character', at);
}

function token(s: Scanner, type: TokenType, start: number, end: number): void {
  s.type = type;
  s.start = start;
  s.end = end;
}

/** What each character can be part of. */
const classes: Uint8Array = /* @__PURE__ */ Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[\w.$]/.test(character)) return /\d/.test(character) ? WORD | DIGIT : WORD;
  if (/[()[\],:]/.test(character)) return SIGN;
  return /[-+*/%&|^<>=!]/.test(character) ? SIGN | OPERATOR : 0;
});

function flagsOf(code: number): number {
  return code < 128 ? (classes[code] ?? 0) : 0;
}

function scanWord(s: Scanner, start: number, first: number): void {
  const { text } = s;
  let end = start + 1;
  while ((flagsOf(text.charCodeAt(end)) & WORD) !== 0) end++;
  if ((first === LOWER_R || first === LOWER_W) && scanRegister(s, start, end)) return;
  if (first === LOWER_S && end === start + 1) {
    // s>, s>>=: signed
    const length = operatorLength(text, end);
    if (length > 0) {
      token(s, 'sign', start, end + length);
      s.word = text.slice(start, end + length);
      return;
    }
  }
  token(s, 'word', start, end);
  s.word = text.slice(start, end);
}

function scanRegister(s: Scanner, start: number, end: number): boolean {
  const { text } = s;
  const digit = text.charCodeAt(start + 1);
  if ((flagsOf(digit) & DIGIT) === 0) return false;
  const ten = digit === ONE && text.charCodeAt(start + 2) === ZERO;
  if (end - start !== (ten ? 3 : 2)) return false;
  token(s, 'register', start, end);
  s.register = `r${ten ? 10 : digit - ZERO}` as Register;
  s.bits = text.charCodeAt(start) === LOWER_R ? 64 : 32;
  return true;
}

function scanNumber(s: Scanner, start: number): void {
  const { text } = s;
  let end = start;
  let value = 0;
  let code = text.charCodeAt(start);
  // Most are small, and need no more than this.
  for (; flagsOf(code) & DIGIT; code = text.charCodeAt(++end)) value = value * 10 + code - ZERO;
  if (value < 1e9 && text.charCodeAt(start) !== ZERO && !(flagsOf(code) & WORD)) {
    token(s, 'number', start, end);
    s.value = value;
    return;
  }
  scanWord(s, start, ZERO);
  s.type = 'number';
  // What starts with 0 LLVM would take for octal.
  if (!/^(0|[1-9]\d*|0x[\da-f]+)$/i.test(s.word)) throw syntaxError(s, 'expected a number as 10 or 0xa', start);
  value = Number(s.word);
  s.value = Number.isSafeInteger(value) ? value : BigInt(s.word);
}

function scanQuoted(s: Scanner, start: number): void {
  QUOTED.lastIndex = start;
  try {
    const quoted = QUOTED.exec(s.text)?.[0] ?? '';
    token(s, 'quoted', start, start + quoted.length);
    s.word = JSON.parse(quoted) as string;
  } catch {
    throw syntaxError(s, 'a quoted name is written as in JSON', start);
  }
}

const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;

function scanSign(s: Scanner, start: number): void {
  token(s, 'sign', start, start + (operatorLength(s.text, start) || 1));
  s.word = s.text.slice(start, s.end);
}

/** The length of an operator: a character that may be doubled or followed by `=`; 0 when there is none. */
function operatorLength(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if ((flagsOf(first) & OPERATOR) === 0) return 0;
  const second = text.charCodeAt(at + 1);
  if (second === EQUALS) return 2;
  const shift = second === first && (first === LESS || first === GREATER);
  return shift && text.charCodeAt(at + 2) === EQUALS ? 3 : 1;
}

/** The error for what is at a place of the text: the scanner's, unless said otherwise. */
export function syntaxError(s: Scanner, message: string, at: number = s.start): TextError {
  return new TextError('SYNTAX', message, s.text, at);
}
