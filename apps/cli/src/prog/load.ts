import { readFileSync } from 'node:fs';
import { assemble } from '@bpf/insn';
import { parse } from '@bpf/insn/text';
import { loadProgram, type ProgramSpec } from '@bpf/programs';
import { objPin, type ProgType } from '@bpf/sys';
import { jsonLine, print } from '../output.ts';
import { openProg, progJson } from './list.ts';

interface Options {
  readonly type: ProgType;
  readonly name?: string;
  readonly attachType?: string;
  readonly attachTo?: string;
  readonly json?: true;
}

/** `bpf prog load`: assembles text, loads it, and pins it, because nothing else would hold it. */
export async function loadProg(file: string, path: string, options: Options): Promise<void> {
  const { type, name, attachType, attachTo } = options;
  const instructions = parse(readFileSync(file === '-' ? 0 : file, 'utf8'));
  // The mistakes of the text are told before anything is loaded.
  assemble(instructions, { maps: {} });
  const spec: ProgramSpec = {
    name: name ?? fileName(path),
    type,
    instructions,
    ...(attachType !== undefined && { attachType: attachType as NonNullable<ProgramSpec['attachType']> }),
    ...(attachTo !== undefined && { attachTo }),
  };
  using prog = loadProgram(spec);
  objPin(path, prog);
  if (options.json) await print([jsonLine(progJson(prog))]);
}

const fileName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** `bpf prog pin`. */
export function pinProg(argument: string, path: string): void {
  using prog = openProg(argument);
  objPin(path, prog);
}
