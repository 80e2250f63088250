import type { Btf, BtfKind, BtfType } from '@bpf/btf';
import { type BtfOptions, withBtf } from './btf-file.ts';
import { jsonLine, print } from './output.ts';
import { printable } from './terminal.ts';

/** `bpf btf list`: a line for each type that has a name. */
export async function listTypes(
  pattern: string | undefined,
  options: BtfOptions & { readonly kind?: BtfKind; readonly json?: true },
): Promise<void> {
  const matches = matcher(pattern);
  await withBtf(options, (btf) => {
    const lines: string[] = [];
    for (const { id, kind, name } of typesOf(btf, options.kind))
      if (name !== '' && matches(name))
        lines.push(options.json ? jsonLine({ id, kind: kind.toUpperCase(), name }) : toLine(id, kind, name));
    if (lines.length === 0)
      throw new Error(`No ${options.kind ?? 'type'} has such a name${pattern ? `: ${pattern}` : ''}.`);
    return print(lines);
  });
}

const toLine = (id: number, kind: BtfKind | 'void', name: string): string =>
  `${String(id).padStart(6)} ${kind.padEnd(8)} ${printable(name)}\n`;

function* typesOf(btf: Btf, kind: BtfKind | undefined): Generator<BtfType> {
  if (kind) yield* btf.all(kind);
  else for (let id = 1; id <= btf.count; id++) yield btf.type(id);
}

/** A pattern with * or ? is for the whole name; any other for a part of it. */
export function matcher(pattern = ''): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name.includes(pattern);
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  const whole = new RegExp(`^${source}$`, 's');
  return (name) => whole.test(name);
}
