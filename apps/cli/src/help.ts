import { styleText } from 'node:util';
import type { Command } from 'commander';
import { examples } from './examples.ts';

/** What an exit status means: the help of every command ends with it. */
export const exitStatuses: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'failed',
  2: 'wrong usage',
  77: 'this machine cannot: not Linux, no privilege, no kernel support',
};

/** For the whole tree of commands, whose help this completes with examples and exit statuses. */
export function addHelp(bpf: Command): void {
  bpf
    .configureHelp({ styleTitle: (title) => styleText('bold', title, { validateStream: false }) })
    .addHelpText('afterAll', ({ command }) => `\n${examplesText(command)}${exitText()}`);
}

/** The words of a command after `bpf`. */
export function wordsOf(command: Command): string {
  const { parent } = command;
  return parent ? `${wordsOf(parent)} ${command.name()}`.trimStart() : '';
}

function examplesText(command: Command): string {
  const lines = (examples[wordsOf(command)] ?? []).map(([line, does]) => `  ${line}\n      ${does}\n`);
  return lines.length > 0 ? `Examples:\n${lines.join('')}\n` : '';
}

function exitText(): string {
  return `Exit status:\n${Object.entries(exitStatuses)
    .map(([status, means]) => `  ${status.padEnd(3)} ${means}\n`)
    .join('')}`;
}
