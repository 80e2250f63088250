import { describe, expect, test } from 'vitest';
import { assemble, callSubprog, exit, flatten, type Insn, ja, jeq, jsgt, label, lddw, mov } from '../src/index.ts';
import { format, formatInsn, parse } from '../src/text/index.ts';
import { llvmCases } from './text/cases.ts';
import {
  type Known,
  llvmAssemble,
  llvmDisassemble,
  llvmObject,
  llvmVersion,
  type Recorded,
  record,
  recorded,
} from './text/llvm.ts';

// To record test/text/llvm-vectors.json anew, with the newest llvm-mc and llvm-objdump first on the PATH:
// RECORD_LLVM='<where it is from>' npx vitest run --project unit packages/insn/test/text-llvm
const origin = process.env.RECORD_LLVM;

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const cases = llvmCases();
const texts = cases.map((insn) => formatInsn(insn));
const bytes = cases.map((insn) => hex(assemble([insn])));

/** What any LLVM that has the BPF target knows, so that a test cannot pass by not finding anything known. */
function isOld(insn: Insn): boolean {
  switch (insn.kind) {
    case 'alu':
      return !['sdiv', 'mod', 'smod'].includes(insn.op);
    case 'jump':
      return insn.op !== 'jset';
    case 'goto':
      return insn.op === 'ja';
    case 'end':
      return insn.op !== 'bswap';
    case 'lddw':
    case 'ldx':
    case 'stx':
    case 'neg':
    case 'call':
    case 'exit':
      return true;
    default:
      return false;
  }
}

const version = llvmVersion();
const assembled = version === undefined ? [] : llvmAssemble(texts);
if (version === undefined) console.log('skipped: no llvm-mc with the BPF target on the PATH');

describe.skipIf(version === undefined)(`LLVM ${version}`, () => {
  test('assembles our text to our bytes', () => {
    if (origin) record(toRecord(assembled, origin));
    assembled.forEach((insn, i) => {
      if (insn) expect(insn.hex, texts[i]).toBe(bytes[i]);
    });
    const unknown = texts.filter((_, i) => !assembled[i] && isOld(cases[i] as Insn));
    expect(unknown, 'unknown to LLVM').toEqual([]);
    console.log(`${assembled.filter(Boolean).length} of ${cases.length} known to LLVM ${version}`);
  });

  test.each([[[]], [['-print-imm-hex']]])('disassembles our bytes to text that we read (%s)', (options: string[]) => {
    // An old one takes what it does not know for something else: sdiv for div.
    const known = bytes.filter((_, i) => assembled[i]);
    const disassembled = llvmDisassemble(known, options);
    disassembled.forEach((text, i) => {
      if (text !== undefined) expect(hex(assemble(parse(text))), text).toBe(known[i]);
    });
    expect(disassembled.filter(Boolean).length).toBeGreaterThan(0.9 * known.length);
  });

  test('labels lead where they do in LLVM', () => {
    const program = flatten([
      label('top'),
      jeq('r1', 0, 'out'),
      lddw('r2', 2n ** 40n),
      jsgt('r1', 'r2', 'top'),
      ja('a label in quotes'),
      mov('r0', 1),
      label('a label in quotes'),
      label('out'),
      exit(),
    ]);
    const { hex: object, text } = llvmObject(`${format(program)}\n`);
    expect(object).toBe(hex(assemble(program)));
    expect(hex(assemble(parse(text)))).toBe(object);
  });

  test('a call of a label', () => {
    const program = [callSubprog('double'), exit(), label('double'), exit()];
    // LLVM leaves the distance of a global one to the linker.
    const { hex: object } = llvmObject(`${format(program)}\n`);
    expect(object).toBe(hex(assemble(program)));
  });
});

function toRecord(known: readonly Known[], from: string): Recorded {
  const vectors = known.flatMap((insn, i): [string, string, string?][] => {
    const ours = texts[i] ?? '';
    if (!insn) return [];
    return [insn.text === ours ? [ours, insn.hex] : [ours, insn.hex, insn.text]];
  });
  return { origin: from, vectors };
}

describe('what the newest LLVM made of it', () => {
  const { origin: from, vectors } = recorded();
  test(from, () => {
    for (const [ours, bytes, theirs] of vectors) {
      expect(hex(assemble(parse(ours))), ours).toBe(bytes);
      if (theirs !== undefined) expect(hex(assemble(parse(theirs))), theirs).toBe(bytes);
    }
  });

  test('nothing is missing that it knows', () => {
    const known = new Map(vectors.map(([ours, hex]) => [ours, hex]));
    const missing = texts.filter((text, i) => known.get(text) !== bytes[i]);
    expect(missing).toEqual([]);
  });
});
