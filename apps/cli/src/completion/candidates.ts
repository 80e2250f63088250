import type { Argument, Command, Option } from 'commander';

/** What may stand where the cursor is, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** What the value of an argument or an option may be, by the name of its placeholder: `map` for `<map>`. */
export type Values = Readonly<Record<string, (prefix: string) => Iterable<Candidate>>>;

/**
 * What the last of these words may become: a command, an option, or a value that is known. None where a file is wanted, or
 * anything.
 *
 * @param words those after `bpf`, up to the cursor; the last may be empty
 */
export function candidates(bpf: Command, words: readonly string[], values: Values): Candidate[] {
  // bash makes three words of --format=hex.
  const [prefix = '', ...before] = words.map((word) => (word === '=' ? '' : word)).reverse();
  const { command, operands, option } = place(bpf, before.filter((word) => word !== '').reverse());
  const all = [...(option ? ofValue(option, prefix, values) : ofWord(command, operands, prefix, values))];
  return all.filter(({ value }) => value.startsWith(prefix));
}

interface Place {
  readonly command: Command;
  /** How many arguments it has got. */
  readonly operands: number;
  /** The option whose value comes next. */
  readonly option: Option | undefined;
}

function place(bpf: Command, words: readonly string[]): Place {
  let command = bpf;
  let operands = 0;
  let option: Option | undefined;
  for (const word of words) {
    if (option && !word.startsWith('-')) {
      // One with several values goes on, until the next option.
      if (!option.variadic) option = undefined;
      continue;
    }
    option = undefined;
    const next = command.commands.find((child) => child.name() === word);
    if (word.startsWith('-'))
      option = command.options.find((known) => takesValue(known) && [known.long, known.short].includes(word));
    else if (next && operands === 0) command = next;
    else operands++;
  }
  return { command, operands, option };
}

const takesValue = (option: Option): boolean => option.required || option.optional;

function* ofWord(command: Command, operands: number, prefix: string, values: Values): Generator<Candidate> {
  const help = command.createHelp();
  if (prefix.startsWith('-')) {
    for (const { long, description } of help.visibleOptions(command)) if (long) yield { value: long, description };
    return;
  }
  for (const child of help.visibleCommands(command)) yield { value: child.name(), description: child.description() };
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  const argument = registeredArguments[operands] ?? (last?.variadic ? last : undefined);
  if (argument) yield* ofValue(argument, prefix, values);
}

function* ofValue(of: Argument | Option, prefix: string, values: Values): Generator<Candidate> {
  for (const value of of.argChoices ?? []) yield { value, description: '' };
  const [, placeholder = ''] = 'flags' in of ? (/[<[]([\w-]+)/.exec(of.flags) ?? []) : ['', of.name()];
  yield* values[placeholder]?.(prefix) ?? [];
}
