import type { Btf, BtfKind, BtfType } from '@bpf/btf';
import { type BtfOptions, withBtf } from './btf-file.ts';
import { print, printable } from './output.ts';

/** The kinds whose types have names. */
export const listKinds: readonly BtfKind[] = [
  'int',
  'float',
  'struct',
  'union',
  'enum',
  'enum64',
  'fwd',
  'typedef',
  'func',
  'var',
  'datasec',
  'decl_tag',
  'type_tag',
];

/** `bpf btf list`: a line for each type that has a name. */
export async function listTypes(
  pattern: string | undefined,
  options: BtfOptions & { readonly kind?: BtfKind },
): Promise<void> {
  const matches = matcher(pattern);
  await withBtf(options, (btf) => {
    const lines: string[] = [];
    for (const { id, kind, name } of typesOf(btf, options.kind))
      if (name !== '' && matches(name)) lines.push(`${String(id).padStart(6)} ${kind.padEnd(8)} ${printable(name)}\n`);
    if (lines.length === 0)
      throw new Error(`No ${options.kind ?? 'type'} has such a name${pattern ? `: ${pattern}` : ''}.`);
    return print([lines.join('')]);
  });
}

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
