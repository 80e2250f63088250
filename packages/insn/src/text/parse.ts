import type { Insn } from '../insn.ts';
import { TextError } from './error.ts';
import { advance, scanner, syntaxError } from './scan.ts';
import { readStatement } from './statement.ts';
import type { HelperNames } from './syntax.ts';

export interface ParseOptions {
  /** Lets `call` take helpers by name (`call bpf_ktime_get_ns`); any other name is a label. */
  readonly helpers?: HelperNames;
  /** What the text is called: with it each instruction remembers, in `at`, its line and column. */
  readonly file?: string;
}

/**
 * Reads a program from text: what `format` prints, what LLVM's assembler takes, and most of what the kernel's verifier
 * prints. One instruction a line; `name:` is a label; `//` and `#` start a comment, and so does `;` after white space. A
 * `;` that touches an instruction ends it.
 *
 * @throws TextError `SYNTAX`, `IMMEDIATE_RANGE`, `OFFSET_RANGE`, `JUMP_RANGE`, `LABEL_DUPLICATE`: the first error, with
 * its line and column
 * @example
 * ```ts
 * const bytes = assemble(parse(`
 *     r0 = *(u32 *)(r1 + 0)   // the packet's length
 *     if r0 > 64 goto big
 *     r0 = 0
 *   big:
 *     exit
 * `));
 * ```
 */
export function parse(text: string, options: ParseOptions = {}): Insn[] {
  const { helpers, file } = options;
  const s = scanner(text);
  const insns: Insn[] = [];
  const labels = new Set<string>();
  let line = 1;
  let lineStart = 0;
  while (s.type !== 'end') {
    const { start } = s;
    if (s.type === 'break') {
      if (text[start] === '\n') {
        line++;
        lineStart = start + 1;
      }
      advance(s);
      continue;
    }
    const insn = readStatement(s, helpers);
    insns.push(file === undefined ? insn : { ...insn, at: { file, line, column: start - lineStart + 1 } });
    if (insn.kind === 'label') {
      if (labels.has(insn.name))
        throw new TextError('LABEL_DUPLICATE', `label '${insn.name}' is there already`, text, start);
      labels.add(insn.name);
    } else if (!isEnd(s.type)) throw syntaxError(s, 'expected the end of the instruction');
  }
  return insns;
}

function isEnd(type: string): boolean {
  return type === 'break' || type === 'end';
}
