import { assemble, type Insn, InsnError } from '@bpf/insn';
import * as helpers from '@bpf/insn/helpers';
import { parse } from '@bpf/insn/text';
import { cInitialiser } from './asm-c.ts';
import { hexLines, jsonLines, nameOf, readInput } from './asm-io.ts';

/** `bpf asm`: text to instructions. */
export async function asm(file: string | undefined, { format }: { readonly format: string }): Promise<void> {
  const name = nameOf(file);
  const text = (await readInput(file)).toString('utf8');
  const insns = said(name, () => parse(text, { helpers, file: name }));
  checkLabels(insns);
  if (format === 'json') {
    process.stdout.write(jsonLines(insns));
    return;
  }
  checkMaps(insns);
  const bytes = said(name, () => assemble(insns, { cpu: 'v4' }));
  process.stdout.write(format === 'raw' ? bytes : format === 'c' ? cInitialiser(bytes) : hexLines(bytes));
}

/** Says of an error which input it is in. */
function said<T>(name: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw error instanceof InsnError ? new Error(`${name}: ${error.message}`) : error;
  }
}

/** `assemble` would find these, too, but it does not know the lines. */
function checkLabels(insns: readonly Insn[]): void {
  const labels = new Set(insns.map((insn) => (insn.kind === 'label' ? insn.name : undefined)));
  for (const insn of insns) {
    if (!('target' in insn) || typeof insn.target === 'number' || labels.has(insn.target)) continue;
    const what = insn.kind === 'call_subprog' ? 'neither a helper nor a label' : 'not a label';
    throw new Error(`${placeOf(insn)}: '${insn.target}' is ${what} of this program`);
  }
}

function checkMaps(insns: readonly Insn[]): void {
  for (const insn of insns)
    if (insn.kind === 'lddw' && 'map' in insn && typeof insn.map === 'string')
      throw new Error(
        `${placeOf(insn)}: map '${insn.map}' has no number here: give its file descriptor, as map_fd[3], or use --format json`,
      );
}

function placeOf({ at }: Insn): string {
  return at ? `${at.file}: line ${at.line}, column ${at.column}` : 'a place that is not known';
}
