/** The small parts that instructions are read from. Each moves the scanner behind what it took. */
import type { InsnErrorCode } from '../error.ts';
import type { Bits, Register, Target } from '../insn.ts';
import { storeLimits } from '../range.ts';
import { TextError } from './error.ts';
import { advance, type Scanner, syntaxError } from './scan.ts';

/** The register that an instruction assigns to, and where it is written. */
export interface Left {
  readonly register: Register;
  readonly bits: Bits;
  readonly at: number;
}

export function isSign(s: Scanner, sign: string): boolean {
  return s.type === 'sign' && s.word === sign;
}

/** The sign where the scanner stands; '' when there is none. */
export function signOf(s: Scanner): string {
  return s.type === 'sign' ? s.word : '';
}

export function isWord(s: Scanner, word: string): boolean {
  return s.type === 'word' && s.word === word;
}

export function takeSign(s: Scanner, sign: string): boolean {
  if (!isSign(s, sign)) return false;
  advance(s);
  return true;
}

export function expectSign(s: Scanner, sign: string): void {
  if (!takeSign(s, sign)) throw syntaxError(s, `expected '${sign}'`);
}

export function expectWord(s: Scanner, word: string): void {
  if (!isWord(s, word)) throw syntaxError(s, `expected '${word}'`);
  advance(s);
}

/** A register of the same width as the others of its instruction: the whole one, unless said otherwise. */
export function readRegister(s: Scanner, bits: Bits = 64): Register {
  if (s.type !== 'register') throw syntaxError(s, 'expected a register');
  if (s.bits > bits) throw syntaxError(s, 'expected a 32-bit register, as w1');
  return readValue(s, bits);
}

/** A register that loads and stores of some width move: less than 64 bits may be written as `w1`, too. */
export function readValue(s: Scanner, width: Bits): Register {
  if (s.type !== 'register') throw syntaxError(s, 'expected a register');
  if (s.bits < width) throw syntaxError(s, 'expected a 64-bit register, as r1');
  const { register } = s;
  advance(s);
  return register;
}

/** One that must be the same as before. */
export function expectRegister(s: Scanner, register: Register, bits: Bits): void {
  const written = bits === 32 ? `w${register.slice(1)}` : register;
  if (s.type !== 'register' || s.register !== register || s.bits < bits) throw syntaxError(s, `expected ${written}`);
  advance(s);
}

/** The integers that a field takes. */
export interface Limits {
  readonly min: number;
  readonly max: number;
  readonly code: InsnErrorCode;
  readonly what: string;
  /** What to do with others. */
  readonly hint?: string;
}

const i16 = { min: -0x8000, max: 0x7fff };

export const number32: Limits = { ...storeLimits.dw, code: 'IMMEDIATE_RANGE', what: 'number' };
export const id: Limits = { ...number32, min: 0 };
export const imm32: Limits = { ...storeLimits.w, code: 'IMMEDIATE_RANGE', what: 'immediate' };
export const imm64: Limits = { ...imm32, ...storeLimits.dw, hint: '; use r1 = 0x100000000 ll' };
export const offset16: Limits = { ...i16, code: 'OFFSET_RANGE', what: 'offset' };
export const jump32: Limits = { ...storeLimits.dw, code: 'JUMP_RANGE', what: 'distance' };
export const jump16: Limits = { ...jump32, ...i16, hint: '; gotol goes further' };

export function startsInteger(s: Scanner): boolean {
  return s.type === 'number' || isSign(s, '-') || isSign(s, '+');
}

/** An integer with or without a sign. */
export function readInteger(s: Scanner, limits: Limits): number {
  const { start } = s;
  const negative = isSign(s, '-');
  if (negative || isSign(s, '+')) advance(s);
  if (s.type !== 'number') throw syntaxError(s, 'expected a number');
  const value = signedValue(s, negative);
  advance(s);
  return inLimits(s, value, limits, start);
}

/** The number where the scanner stands, with the sign that was read before it. */
export function signedValue({ value }: Scanner, negative: boolean): number | bigint {
  if (!negative) return value;
  // 0 - 0 is 0, and -0 is not.
  return typeof value === 'bigint' ? -value : 0 - value;
}

/** Checks an integer that was read at a place. */
export function inLimits(s: Scanner, value: number | bigint, limits: Limits, start: number): number {
  const { min, max, code, what, hint = '' } = limits;
  if (value >= min && value <= max) return Number(value);
  throw new TextError(code, `the ${what} ${value} is not in ${min}..${max}${hint}`, s.text, start);
}

/** `[5]` */
export function readIndex(s: Scanner, limits: Limits): number {
  expectSign(s, '[');
  const index = readInteger(s, limits);
  expectSign(s, ']');
  return index;
}

/** `out`, `"any name"`, `+3` or `pc+3` */
export function readTarget(s: Scanner, limits: Limits): Target {
  if (isSign(s, '+') || isSign(s, '-')) return readInteger(s, limits);
  if (s.type !== 'word' && s.type !== 'quoted') throw syntaxError(s, 'expected a label, or a number of slots as +3');
  const { word, type } = s;
  advance(s);
  const relative = type === 'word' && word === 'pc' && (isSign(s, '+') || isSign(s, '-'));
  return relative ? readInteger(s, limits) : word;
}
