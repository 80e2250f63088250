import type { Command } from 'commander';
import { examples } from '../src/examples.ts';
import { exitStatuses, wordsOf } from '../src/help.ts';

/** docs/cli.md: what `--help` says of every command, on one page. */
export function referencePage(bpf: Command): string {
  const statuses = Object.entries(exitStatuses).map(([status, means]) => [status, means]);
  return [
    '# The `bpf` command',
    '<!-- Written by `vitest run apps/cli/test/docs.test.ts -u` from what `--help` says. -->',
    `${bpf.description()} [apps/cli](../apps/cli/README.md) introduces it; this page has every command.`,
    'Programs, maps and links are named by id, by name, or by the path where they are pinned. `--json` prints one object a line, with bpftool’s keys where it has the same thing. Errors go to standard error.',
    table(['exit status', 'means'], statuses),
    ...bpf.commands.flatMap((command) => sections(command, 2)),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

function sections(command: Command, level: number): string[] {
  const help = command.createHelp();
  if (!command.parent || !help.visibleCommands(command.parent).includes(command)) return [];
  const name = wordsOf(command);
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  return [
    `${'#'.repeat(level)} bpf ${name}`,
    sentence(command.description()),
    ...(command.commands.length > 0 ? [] : [`\`\`\`text\n${help.commandUsage(command)}\n\`\`\``]),
    ...(command.registeredArguments.length > 0
      ? [
          table(
            ['argument', 'is'],
            help
              .visibleArguments(command)
              .map((argument) => [code(argument.name()), help.argumentDescription(argument)]),
          ),
        ]
      : []),
    ...(options.length > 0
      ? [
          table(
            ['option', 'does'],
            options.map((option) => [code(option.flags), help.optionDescription(option)]),
          ),
        ]
      : []),
    `\`\`\`sh\n${(examples[name] ?? []).map(([line, does]) => `# ${does}\n${line}`).join('\n')}\n\`\`\``,
    ...command.commands.flatMap((child) => sections(child, level + 1)),
  ];
}

const code = (text: string): string => `\`${text}\``;
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(heads), line(widths.map((width) => '-'.repeat(width))), ...cells.map(line)].join('\n');
}
