import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import { type Insn, SLOT_BYTES } from '@bpf/insn';
import { formatInsn } from '@bpf/insn/text';
import { btfLoad, type Fd, type ProgLoadOptions, progLoad, SysError } from '@bpf/sys';
import { functionsOf, type ProgramFunction } from './functions.ts';
import { createQuote, type Quote } from './quote.ts';
import { slotsOf } from './slots.ts';
import type { ProgramSpec } from './spec.ts';
import { readRefusal } from './verifier/log.ts';

/** What tells the kernel where a program comes from: its functions, and the line of each instruction. */
export interface LineInfo {
  /** Types for the functions, and the strings of the lines. */
  readonly btf: Uint8Array;
  /** `struct bpf_func_info`, one for each function. */
  readonly funcInfo: Uint8Array;
  /** `struct bpf_line_info`, in the order of the slots: none where they are not wanted, or not known. */
  readonly lineInfo: Uint8Array;
}

const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;
/** The kernel prints line and file name into 1024 bytes, and warns in its own log when that is too little. */
const MAX_TEXT_BYTES = 300;
const MAX_FILE_BYTES = 500;
/** A line number has 22 bits, a column 10. */
const MAX_LINE = 0x3f_ffff;
const MAX_COLUMN = 0x3ff;

/**
 * Makes line info from what the instructions of a program remember of their source. A program that takes the address of a
 * function is not loaded without its functions, so they are told in any case; undefined when there is nothing to tell.
 *
 * @param insns the assembled program
 * @param wantsLines whether there are to be lines
 */
export function makeLineInfo(spec: ProgramSpec, insns: Uint8Array, wantsLines: boolean = true): LineInfo | undefined {
  const slots = slotsOf(spec.instructions);
  const hasLines = wantsLines && slots.some(({ at }) => at);
  if (!hasLines && !slots.some((insn) => insn.kind === 'lddw' && insn.source === 'func')) return undefined;
  const functions = functionsOf(spec, insns);
  const types: BtfTypeData[] = [
    { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
    { kind: 'func_proto', returnTypeId: 1, params: [] },
  ];
  // Static: a global function would be checked on its own, for any arguments, and could not be called back.
  const funcs = functions.map(({ slot, name }) => [
    slot,
    types.push({ kind: 'func', name, typeId: 2, linkage: 'static' }),
  ]);
  const strings = createStrings(encodeBtf(types));
  const records = hasLines ? makeRecords(slots, insns, functions, strings) : [];
  return { btf: strings.btf(), funcInfo: words(funcs), lineInfo: words(records) };
}

/** A record for each place in the source: one slot has at most one, and each function starts with one. */
function makeRecords(
  slots: readonly Insn[],
  insns: Uint8Array,
  functions: readonly ProgramFunction[],
  strings: Strings,
): number[][] {
  const quote = createQuote(MAX_TEXT_BYTES);
  const entries = new Set(functions.map(({ slot }) => slot));
  const records: number[][] = [];
  let previous: Line | undefined;
  for (const [slot, insn] of slots.entries()) {
    // The second slot of a wide instruction has no line of its own.
    if (insns[slot * SLOT_BYTES] === 0) continue;
    const line = lineOf(insn, quote);
    if (!entries.has(slot) && previous && sameLine(line, previous)) continue;
    previous = line;
    const file = strings.offset(line.file, MAX_FILE_BYTES);
    records.push([slot, file, strings.offset(line.text, MAX_TEXT_BYTES), (line.line << 10) | line.column]);
  }
  return records;
}

/** What the kernel says when it does not like these, and would take the program. */
const ABOUT_TYPES = /(?:func|line)[ _]info|func record/;

/**
 * Loads a program with its line info, or without it where the kernel does not take it.
 *
 * @throws as `progLoad`
 */
export function loadWithLines(options: ProgLoadOptions, lines: LineInfo | undefined): Fd {
  const btf = lines && tryBtfLoad(lines.btf);
  if (!btf) return progLoad(options);
  try {
    return progLoad({
      ...options,
      btf,
      funcInfo: { bytes: lines.funcInfo, recordSize: FUNC_INFO_BYTES },
      ...(lines.lineInfo.length > 0 && { lineInfo: { bytes: lines.lineInfo, recordSize: LINE_INFO_BYTES } }),
    });
  } catch (error) {
    if (!(error instanceof SysError) || (error.log && !ABOUT_TYPES.test(readRefusal(error.log).reason))) throw error;
    return progLoad(options);
  } finally {
    btf.close();
  }
}

function tryBtfLoad(bytes: Uint8Array): Fd | undefined {
  try {
    return btfLoad(bytes);
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

interface Line {
  readonly file: string;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const sameLine = (a: Line, b: Line): boolean =>
  a.file === b.file && a.line === b.line && a.column === b.column && a.text === b.text;

function lineOf(insn: Insn, quote: Quote): Line {
  // Of an instruction that remembers nothing, or whose file cannot be read, its own text.
  if (!insn.at) return { file: '', text: formatInsn(insn), line: 0, column: 0 };
  const { file, line, column } = insn.at;
  return {
    file: file.slice(-MAX_FILE_BYTES),
    text: quote(insn.at) || formatInsn(insn),
    line: line <= MAX_LINE ? line : 0,
    column: Math.min(column, MAX_COLUMN),
  };
}

interface Strings {
  /** The offset of a string, of which at most so many bytes are kept. */
  offset(text: string, maxBytes: number): number;
  btf(): Uint8Array;
}

/** Adds strings to BTF, whose string section is its last part. */
function createStrings(btf: Uint8Array): Strings {
  const length = new DataView(btf.buffer, btf.byteOffset).getUint32(STRINGS_LENGTH, true);
  const offsets = new Map([['', 0]]);
  const added: Uint8Array[] = [];
  let end = length;
  return {
    offset(text, maxBytes) {
      let offset = offsets.get(text);
      if (offset !== undefined) return offset;
      offset = end;
      offsets.set(text, offset);
      const bytes = new Uint8Array(maxBytes + 1);
      const { written } = new TextEncoder().encodeInto(text, bytes.subarray(0, maxBytes));
      added.push(bytes.subarray(0, written + 1));
      end += written + 1;
      return offset;
    },
    btf() {
      const whole = Buffer.concat([btf, ...added]);
      whole.writeUInt32LE(end, STRINGS_LENGTH);
      return whole;
    },
  };
}

/** `str_len` of `struct btf_header`. */
const STRINGS_LENGTH = 20;

function words(records: readonly (readonly number[])[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(records.flat()).buffer);
}
