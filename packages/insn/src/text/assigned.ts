/** What stands behind `r1 =`. */
import { atomicCodes } from '../codes.ts';
import type { EndInsn, Insn, LddwInsn, MovsxInsn } from '../insn.ts';
import { TextError } from './error.ts';
import { readFetching, readLoad, readLoadAcquire } from './memory.ts';
import {
  expectRegister,
  expectSign,
  expectWord,
  imm32,
  imm64,
  inLimits,
  isSign,
  isWord,
  jump32,
  type Left,
  type Limits,
  number32,
  readIndex,
  readInteger,
  readRegister,
  readTarget,
  signedValue,
} from './read.ts';
import { advance, type Scanner, syntaxError } from './scan.ts';

/** Reads the instruction that assigns to a register, which was read with its `=`. */
export function readAssigned(s: Scanner, left: Left): Insn {
  const { register: dst, bits } = left;
  if (s.type === 'register') return { kind: 'alu', op: 'mov', bits, dst, src: readRegister(s, bits) };
  if (s.type === 'number') return readConstant(s, left, s.start, false);
  if (isSign(s, '*')) return readLoad(s, left);
  if (isSign(s, '(')) return readSignExtended(s, left);
  if (isSign(s, '-') || isSign(s, '+')) return readSigned(s, left);
  if (s.type !== 'word') throw syntaxError(s, 'expected a register, a number or an operation');
  const read = operations.get(s.word);
  if (read === undefined) throw syntaxError(s, `'${s.word}' is no operation`);
  advance(s);
  return read(s, left);
}

/** `-r1`, or a number with a sign */
function readSigned(s: Scanner, left: Left): Insn {
  const { start } = s;
  const negative = isSign(s, '-');
  advance(s);
  if (s.type === 'number') return readConstant(s, left, start, negative);
  if (s.type !== 'register' || !negative) throw syntaxError(s, 'expected a number');
  const { register: dst, bits } = left;
  expectRegister(s, dst, bits);
  return { kind: 'neg', bits, dst };
}

/** `5`, or `0x100000000 ll`; the sign was read. */
function readConstant(s: Scanner, left: Left, start: number, negative: boolean): Insn {
  const { register: dst, bits } = left;
  const value = signedValue(s, negative);
  advance(s);
  if (isWord(s, 'll')) {
    advance(s);
    expectWhole(s, left);
    if (value >= -(2n ** 63n) && value < 2n ** 64n)
      return { kind: 'lddw', dst, source: 'imm', imm: BigInt.asUintN(64, BigInt(value)) };
    throw new TextError('IMMEDIATE_RANGE', `the number ${value} is not in -2^63..2^64-1`, s.text, start);
  }
  const src = bits === 64 ? inLimits(s, value, imm64, start) : inLimits(s, value, imm32, start) | 0;
  return { kind: 'alu', op: 'mov', bits, dst, src };
}

const signedWidths: ReadonlyMap<string, MovsxInsn['from']> = /* @__PURE__ */ new Map<string, MovsxInsn['from']>([
  ['s8', 8],
  ['s16', 16],
  ['s32', 32],
]);

/** `(s8)r2` */
function readSignExtended(s: Scanner, { register: dst, bits }: Left): Insn {
  expectSign(s, '(');
  const from = s.type === 'word' ? signedWidths.get(s.word) : undefined;
  if (from === undefined || from === bits)
    throw syntaxError(s, bits === 64 ? 'expected s8, s16 or s32' : 'expected s8 or s16');
  advance(s);
  expectSign(s, ')');
  return { kind: 'movsx', bits, from, dst, src: readRegister(s, bits) };
}

/** Reads an operation from behind its name. */
type Operation = (s: Scanner, left: Left) => Insn;

const operations: ReadonlyMap<string, Operation> = /* @__PURE__ */ new Map<string, Operation>([
  ...byteOrders(),
  ...fetchings(),
  ['load_acquire', readLoadAcquire],
  ['addr_space_cast', readAddrSpaceCast],
  wide('map_fd', (s) => ({ map: readMap(s) })),
  wide('map_value', (s) => ({ map: readMap(s), off: readField(s) })),
  wide('map_idx', (s) => ({ index: readField(s) })),
  wide('map_idx_value', (s) => ({ index: readField(s), off: readField(s) })),
  wide('btf_id', (s) => ({ btfId: readField(s), btfFd: isSign(s, '[') ? readField(s) : 0 })),
  wide('func', (s) => ({ target: readFunction(s) })),
]);

/** `be16 r1` */
function byteOrders(): [string, Operation][] {
  const ops: readonly EndInsn['op'][] = ['be', 'le', 'bswap'];
  const widths: readonly EndInsn['width'][] = [16, 32, 64];
  return ops.flatMap((op) =>
    widths.map((width): [string, Operation] => [
      op + width,
      (s, left) => {
        expectWhole(s, left);
        const { register: dst } = left;
        expectRegister(s, dst, 64);
        return { kind: 'end', op, width, dst };
      },
    ]),
  );
}

/** LLVM's names, and those of the verifier: `atomic64_fetch_add`, `atomic_xchg`, `atomic64_cmpxchg` and so on. */
function fetchings(): [string, Operation][] {
  return [...atomicCodes.keys()].flatMap((op): [string, Operation][] => {
    const exchange = op === 'xchg' || op === 'cmpxchg';
    const typed: Operation = (s, left) => readFetching(s, op, undefined, left);
    const name = exchange ? op : `fetch_${op}`;
    const names: [string, Operation][] = [
      [`atomic_${name}`, typed],
      [`atomic64_${name}`, typed],
    ];
    if (exchange)
      names.push(
        [`${op}_64`, (s, left) => readFetching(s, op, 'dw', left)],
        [`${op}32_32`, (s, left) => readFetching(s, op, 'w', left)],
      );
    return names;
  });
}

/** `addr_space_cast(r2, 0, 1)` */
function readAddrSpaceCast(s: Scanner, left: Left): Insn {
  expectWhole(s, left);
  expectSign(s, '(');
  const src = readRegister(s);
  expectSign(s, ',');
  const to = readInteger(s, toSpace);
  expectSign(s, ',');
  const from = readInteger(s, fromSpace);
  expectSign(s, ')');
  return { kind: 'addr_space_cast', dst: left.register, src, to, from };
}

const toSpace: Limits = { min: 0, max: 0x7fff, code: 'IMMEDIATE_RANGE', what: 'address space' };
const fromSpace: Limits = { ...toSpace, max: 0xffff };

type Wide<Source> = Extract<LddwInsn, { readonly source: Source }>;

/** What `r1 = … ll` loads when it is not a number: the name of its source, and its own fields in brackets. */
function wide<Source extends LddwInsn['source']>(
  source: Source,
  read: (s: Scanner) => Omit<Wide<Source>, 'kind' | 'dst' | 'source'>,
): [string, Operation] {
  return [
    source,
    (s, left) => {
      expectWhole(s, left);
      const fields = read(s);
      expectWord(s, 'll');
      return { kind: 'lddw', dst: left.register, source, ...fields } as unknown as LddwInsn;
    },
  ];
}

/** `[5]`, `[counts]` or `["any name"]` */
function readMap(s: Scanner): string | number {
  expectSign(s, '[');
  const { type, word } = s;
  const named = type === 'word' || type === 'quoted';
  if (named) advance(s);
  const map = named ? word : readInteger(s, number32);
  expectSign(s, ']');
  return map;
}

const readField = (s: Scanner): number => readIndex(s, number32);

/** `[label]` or `[+5]` */
function readFunction(s: Scanner): string | number {
  expectSign(s, '[');
  const target = readTarget(s, jump32);
  expectSign(s, ']');
  return target;
}

function expectWhole(s: Scanner, { bits, at }: Left): void {
  if (bits === 32) throw syntaxError(s, 'expected a 64-bit register, as r1', at);
}
