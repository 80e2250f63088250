import { readFileSync } from 'node:fs';
import type { Btf, BtfFunction } from '@bpf/btf';
import { validateTarget } from '@bpf/dsl-fentry';
import { requireFunction } from '../btf-names.ts';
import { MAX_FUNCTIONS } from '../choices.ts';
import { neededByGuard } from './guard.ts';

/** Functions to trace, and whether the kernel may refuse some: those that a pattern found, and nobody named. */
export interface Selected {
  readonly func: BtfFunction;
  readonly named: boolean;
}

/**
 * The functions of these names and patterns, each once. A pattern (`vfs_*`) leaves out what cannot be traced; a name that
 * cannot be traced is an error that says why.
 *
 * @param traceable the content of available_filter_functions, when it could be read
 */
export function selectFunctions(btf: Btf, asked: readonly string[], traceable?: string): Selected[] {
  const selected = new Map<string, Selected>();
  for (const name of asked.filter((word) => !isPattern(word)))
    selected.set(name, { func: requireTraceable(btf, name, traceable), named: true });
  const known = traceable === undefined ? undefined : new Set(traceable.split('\n'));
  for (const pattern of asked.filter(isPattern)) {
    const names = matching(btf, pattern, known);
    if (names.length > MAX_FUNCTIONS)
      throw new Error(
        `'${pattern}' matches ${names.length} functions that can be traced, and at most ${MAX_FUNCTIONS} are traced at once: narrow it.`,
      );
    for (const name of names) if (!selected.has(name)) selected.set(name, { func: btf.func(name), named: false });
  }
  if (selected.size > MAX_FUNCTIONS)
    throw new Error(
      `These are ${selected.size} functions, and at most ${MAX_FUNCTIONS} are traced at once: name fewer.`,
    );
  return [...selected.values()];
}

const isPattern = (word: string): boolean => /[*?]/.test(word);

function requireTraceable(btf: Btf, name: string, traceable: string | undefined): BtfFunction {
  const id = requireFunction(btf, name);
  if (neededByGuard.has(name))
    throw new Error(`It cannot be traced: ${name} is what the programs of this command call themselves.`);
  const { valid, reasons } = validateTarget(btf, name, traceable === undefined ? {} : { traceable });
  if (!valid) throw new Error(`It cannot be traced: ${reasons.join('; ')}.`);
  return btf.func(id);
}

function matching(btf: Btf, pattern: string, known: ReadonlySet<string> | undefined): string[] {
  const matches = toRegExp(pattern);
  const names = new Set<string>();
  for (const { name } of btf.all('func')) if (matches.test(name)) names.add(name);
  if (names.size === 0) throw new Error(`No function in the kernel's types matches '${pattern}'.`);
  const traceable = [...names].filter(
    (name) => !neededByGuard.has(name) && (known?.has(name) ?? true) && validateTarget(btf, name).valid,
  );
  if (traceable.length > 0) return traceable;
  throw new Error(`'${pattern}' matches ${names.size} functions, none of which can be traced.`);
}

/** `*` stands for any characters, `?` for one. */
function toRegExp(pattern: string): RegExp {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

/** The functions that ftrace knows, a line each, when it tells this user. */
export function readTraceable(): string | undefined {
  for (const folder of ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'])
    try {
      return readFileSync(`${folder}/available_filter_functions`, 'latin1');
    } catch {
      // Not mounted, or not for this user: then the kernel says when it is asked to attach.
    }
  return undefined;
}
