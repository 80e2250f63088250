import { invert } from '../codes.ts';
import type { AluOp, Bits, Insn, JumpOp, Register } from '../insn.ts';
import { readAssigned } from './assigned.ts';
import { readLock, readStore, readStoreRelease } from './memory.ts';
import {
  expectSign,
  expectWord,
  id,
  imm32,
  imm64,
  isSign,
  jump16,
  jump32,
  type Limits,
  number32,
  offset16,
  readIndex,
  readInteger,
  readRegister,
  readTarget,
  signOf,
  startsInteger,
  takeSign,
} from './read.ts';
import { advance, type Scanner, syntaxError } from './scan.ts';
import { aluSigns, type HelperNames, jumpSigns } from './syntax.ts';

const aluOps: ReadonlyMap<string, AluOp> = /* @__PURE__ */ invert(Object.entries(aluSigns)) as never;
const jumpOps: ReadonlyMap<string, JumpOp> = /* @__PURE__ */ invert(Object.entries(jumpSigns)) as never;

/** Reads an instruction or a label, but not what ends it. */
export function readStatement(s: Scanner, helpers: HelperNames | undefined): Insn {
  if (s.type === 'register') return readRegisterFirst(s);
  if (isSign(s, '*')) return readStore(s);
  if (s.type !== 'word' && s.type !== 'quoted') throw syntaxError(s, 'expected an instruction or a label');
  const { word, start, type } = s;
  advance(s);
  if (takeSign(s, ':')) {
    if (type === 'quoted' || helpers?.helperId(word) === undefined) return { kind: 'label', name: word };
    throw syntaxError(s, 'a label named like a helper is written in quotes', start);
  }
  if (type === 'word')
    switch (word) {
      case 'if':
        return readJump(s);
      case 'goto':
        return { kind: 'goto', op: 'ja', target: readTarget(s, jump16) };
      case 'gotol':
        return { kind: 'goto', op: 'gotol', target: readTarget(s, jump32) };
      case 'may_goto':
        return { kind: 'goto', op: 'may_goto', target: readTarget(s, jump16) };
      case 'gotox':
        return { kind: 'gotox', dst: readRegister(s) };
      case 'call':
        return readCall(s, helpers);
      case 'exit':
        return { kind: 'exit' };
      case 'lock':
        return readLock(s);
      case 'store_release':
        return readStoreRelease(s);
      case '.raw':
        return readRaw(s);
    }
  throw syntaxError(s, `'${word}' is no instruction`, start);
}

/** `r1 = …`, `r1 += …` */
function readRegisterFirst(s: Scanner): Insn {
  const { register: dst, bits, start } = s;
  advance(s);
  if (isSign(s, ':')) throw syntaxError(s, 'a label named like a register is written in quotes', start);
  const op = aluOps.get(signOf(s));
  if (op === undefined) throw syntaxError(s, `expected an operator: ${[...aluOps.keys()].join(' ')}`);
  advance(s);
  if (op === 'mov') return readAssigned(s, { register: dst, bits, at: start });
  return { kind: 'alu', op, bits, dst, src: readOperand(s, bits) };
}

/** A register of that width, or an immediate. */
function readOperand(s: Scanner, bits: Bits): Register | number {
  if (s.type === 'register') return readRegister(s, bits);
  if (!startsInteger(s)) throw syntaxError(s, 'expected a register or a number');
  return bits === 64 ? readInteger(s, imm64) : readInteger(s, imm32) | 0;
}

/** `if r1 s> 5 goto out`, from behind the if */
function readJump(s: Scanner): Insn {
  if (s.type !== 'register') throw syntaxError(s, 'expected a register');
  const { register: dst, bits } = s;
  advance(s);
  const op = jumpOps.get(signOf(s));
  if (op === undefined) throw syntaxError(s, `expected a comparison: ${[...jumpOps.keys()].join(' ')}`);
  advance(s);
  const src = readOperand(s, bits);
  expectWord(s, 'goto');
  return { kind: 'jump', op, bits, dst, src, target: readTarget(s, jump16) };
}

/** `call 1`, `call bpf_ktime_get_ns`, `call kfunc[1234]`, `call pc+5`, `call label` */
function readCall(s: Scanner, helpers: HelperNames | undefined): Insn {
  if (s.type === 'number') return { kind: 'call', helper: readInteger(s, id) };
  const { type, word } = s;
  if (type !== 'word' && type !== 'quoted') throw syntaxError(s, 'expected a helper, a label, kfunc[id] or pc+n');
  const target = readTarget(s, jump32);
  if (type === 'quoted' || typeof target === 'number') return { kind: 'call_subprog', target };
  if (word === 'kfunc' && isSign(s, '[')) {
    const btfId = readIndex(s, id);
    return { kind: 'call_kfunc', btfId, fdIndex: isSign(s, '[') ? readIndex(s, offset16) : 0 };
  }
  const helper = helpers?.helperId(word);
  return helper === undefined ? { kind: 'call_subprog', target } : { kind: 'call', helper };
}

const opcodeField: Limits = { ...id, max: 0xff, what: 'opcode' };
const registerField: Limits = { ...id, max: 0xf, what: 'register' };

/** `.raw opcode, dst, src, off, imm` */
function readRaw(s: Scanner): Insn {
  const next = (limits: Limits): number => {
    expectSign(s, ',');
    return readInteger(s, limits);
  };
  const opcode = readInteger(s, opcodeField);
  const dst = next(registerField);
  const src = next(registerField);
  return { kind: 'raw', opcode, dst, src, off: next(offset16), imm: next(number32) };
}
