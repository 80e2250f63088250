/** Loads, stores and atomic operations. */
import type { AtomicOp, Bits, Insn, Register, Size } from '../insn.ts';
import { storeLimits } from '../range.ts';
import {
  expectRegister,
  expectSign,
  imm32,
  imm64,
  isSign,
  isWord,
  type Left,
  type Limits,
  offset16,
  readInteger,
  readRegister,
  readValue,
  signOf,
  startsInteger,
  takeSign,
} from './read.ts';
import { advance, type Scanner, syntaxError } from './scan.ts';
import { sizesByBits } from './syntax.ts';

const lockOps: ReadonlyMap<string, AtomicOp> = /* @__PURE__ */ new Map([
  ['+=', 'add'],
  ['|=', 'or'],
  ['&=', 'and'],
  ['^=', 'xor'],
]);

const stored: Readonly<Record<Size, Limits>> = {
  b: { ...imm32, ...storeLimits.b },
  h: { ...imm32, ...storeLimits.h },
  w: imm32,
  dw: imm64,
};

const widthOf = (size: Size): Bits => (size === 'dw' ? 64 : 32);

/** `r0 = *(u32 *)(r1 + 4)`, from the * on */
export function readLoad(s: Scanner, left: Left): Insn {
  const { register: dst, at } = left;
  expectSign(s, '*');
  expectSign(s, '(');
  const { start } = s;
  const signed = s.type === 'word' && s.word[0] === 's' && s.word !== 's64';
  const size = readSize(s, signed ? 's' : 'u');
  expectSign(s, '*');
  expectSign(s, ')');
  // Less than 64 bits zero the rest, so that LLVM writes w1 where the verifier writes r1.
  checkWidth(s, left, signed ? 'dw' : size);
  if (isWord(s, 'skb')) {
    if (dst !== 'r0' || signed || size === 'dw')
      throw syntaxError(s, 'expected r0 = *(u8, u16 or u32 *)skb[…]', dst === 'r0' ? start : at);
    return readPacket(s, size);
  }
  const [src, off] = readAddress(s);
  return { kind: signed ? 'ldsx' : 'ldx', size, dst, src, off };
}

/** `skb[12]`, `skb[r1]`, `skb[r1 + 12]` */
function readPacket(s: Scanner, size: 'b' | 'h' | 'w'): Insn {
  advance(s);
  expectSign(s, '[');
  const src = s.type === 'register' ? readRegister(s) : undefined;
  const imm = src === undefined ? readInteger(s, imm32) : readOffset(s, imm32);
  expectSign(s, ']');
  return src === undefined ? { kind: 'ld_abs', size, imm: imm | 0 } : { kind: 'ld_ind', size, src, imm: imm | 0 };
}

/** `*(u8 *)(r10 - 1) = 255` */
export function readStore(s: Scanner): Insn {
  expectSign(s, '*');
  const size = readType(s);
  const [dst, off] = readAddress(s);
  expectSign(s, '=');
  if (s.type === 'register') return { kind: 'stx', size, dst, src: readValue(s, widthOf(size)), off };
  if (!startsInteger(s)) throw syntaxError(s, 'expected a register or a number');
  const imm = readInteger(s, stored[size]);
  return { kind: 'st', size, dst, off, imm: imm | 0 };
}

/** `lock *(u64 *)(r1 + 0) += r2`, from behind the lock */
export function readLock(s: Scanner): Insn {
  expectSign(s, '*');
  const size = readAtomicType(s);
  const [dst, off] = readAddress(s);
  const op = lockOps.get(signOf(s));
  if (op === undefined) throw syntaxError(s, `expected one of ${[...lockOps.keys()].join(' ')}`);
  advance(s);
  return { kind: 'atomic', op, fetch: false, size, dst, src: readValue(s, widthOf(size)), off };
}

/** `store_release((u64 *)(r1 + 0), r2)`, from behind the name */
export function readStoreRelease(s: Scanner): Insn {
  expectSign(s, '(');
  const size = readType(s);
  const [dst, off] = readAddress(s);
  expectSign(s, ',');
  const src = readValue(s, widthOf(size));
  expectSign(s, ')');
  return { kind: 'store_release', size, dst, src, off };
}

/** `r0 = load_acquire((u64 *)(r1 + 0))`, from behind the name */
export function readLoadAcquire(s: Scanner, left: Left): Insn {
  expectSign(s, '(');
  const size = readType(s);
  const [src, off] = readAddress(s);
  expectSign(s, ')');
  checkWidth(s, left, size);
  return { kind: 'load_acquire', size, dst: left.register, src, off };
}

/**
 * `r2 = atomic_fetch_add((u64 *)(r1 + 0), r2)`, or with a size in its name `r0 = cmpxchg_64(r1 + 0, r0, r2)`, from behind
 * the name
 */
export function readFetching(s: Scanner, op: AtomicOp, named: 'w' | 'dw' | undefined, left: Left): Insn {
  expectSign(s, '(');
  const size = named ?? readAtomicType(s);
  const [dst, off] = named ? readInside(s) : readAddress(s);
  const width = widthOf(size);
  checkWidth(s, left, size);
  expectSign(s, ',');
  let src = left.register;
  if (op === 'cmpxchg') {
    if (src !== 'r0') throw syntaxError(s, 'expected r0 or w0', left.at);
    expectRegister(s, 'r0', width);
    expectSign(s, ',');
    src = readValue(s, width);
  } else expectRegister(s, src, width);
  expectSign(s, ')');
  return { kind: 'atomic', op, fetch: true, size, dst, src, off };
}

function checkWidth(s: Scanner, { bits, at }: Left, size: Size): void {
  if (bits < widthOf(size)) throw syntaxError(s, 'expected a 64-bit register, as r1', at);
}

/** `(u32 *)` */
function readType(s: Scanner): Size {
  expectSign(s, '(');
  const size = readSize(s);
  expectSign(s, '*');
  expectSign(s, ')');
  return size;
}

function readAtomicType(s: Scanner): 'w' | 'dw' {
  const { end } = s;
  const size = readType(s);
  if (size === 'w' || size === 'dw') return size;
  throw syntaxError(s, 'expected u32 or u64', end);
}

/** `u32`, or with another letter */
function readSize(s: Scanner, letter = 'u'): Size {
  const size = s.type === 'word' && s.word[0] === letter ? sizesByBits.get(s.word.slice(1)) : undefined;
  if (size === undefined) throw syntaxError(s, 'expected a type: u8, u16, u32 or u64, or s8, s16 or s32 in a load');
  advance(s);
  return size;
}

/** `(r1 + 4)` */
function readAddress(s: Scanner): [base: Register, off: number] {
  expectSign(s, '(');
  const address = readInside(s);
  expectSign(s, ')');
  return address;
}

/** `r1 + 4` */
function readInside(s: Scanner): [base: Register, off: number] {
  return [readRegister(s), readOffset(s, offset16)];
}

/** ` + 4`, ` - 4`, ` + -4`, or nothing */
function readOffset(s: Scanner, limits: Limits): number {
  if (takeSign(s, '+')) return readInteger(s, limits);
  return isSign(s, '-') ? readInteger(s, limits) : 0;
}
