import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { examples } from '../src/examples.ts';
import { exitStatuses, wordsOf } from '../src/help.ts';
import { makeProgram } from '../src/program.ts';

/** A command and all beneath it, but those that are hidden. */
function all(command: Command): Command[] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  return [command, ...visible.flatMap(all)];
}

const commands = all(makeProgram('0'));

test('every command has examples and a description, and no example is of none', () => {
  expect(Object.keys(examples).sort()).toEqual(commands.map(wordsOf).sort());
  for (const [words, lines] of Object.entries(examples)) expect(lines.length, words).toBeGreaterThan(0);
  for (const command of commands) expect(command.description(), wordsOf(command)).not.toBe('');
});

/** The words of a line, as a shell would have them; what goes to a file is the shell's. */
function wordsIn(line: string): string[] {
  const [command = ''] = line.split(' > ');
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

const lines = Object.entries(examples).flatMap(([words, list]) => list.map(([line]) => [words, line] as const));

test.each(lines)('%s: %s', async (words, line) => {
  const bpf = makeProgram('0');
  let ran: string | undefined;
  for (const command of all(bpf))
    command.action(() => {
      ran = wordsOf(command);
    });
  const [name, ...args] = wordsIn(line);
  expect(name).toBe('bpf');
  // Throws for what commander does not know: commands, options, choices, numbers.
  await bpf.parseAsync(args, { from: 'user' });
  // That of a group is one of its commands.
  expect(`${ran}`.startsWith(words)).toBe(true);
});

test('a line with a word that is wrong does not parse', async () => {
  for (const line of ['map dmp x', 'map dump', 'iter task --pid x', 'iter task --filds pid', 'btf dump --format d'])
    await expect(makeProgram('0').parseAsync(line.split(' '), { from: 'user' }), line).rejects.toThrow();
});

test.each(commands.map((command) => [wordsOf(command), command] as const))('the help of bpf %s', (words, command) => {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  for (const [line, does] of examples[words] ?? []) expect(text).toContain(`  ${line}\n      ${does}\n`);
  for (const means of Object.values(exitStatuses)) expect(text).toContain(means);
  for (const argument of command.registeredArguments) expect(argument.description, argument.name()).not.toBe('');
});
