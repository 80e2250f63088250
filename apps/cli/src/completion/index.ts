import { Argument, type Command } from 'commander';
import { shells } from '../choices.ts';
import { lazily } from '../lazily.ts';

export function addCompletionCommands(bpf: Command): void {
  bpf
    .command('completion')
    .description('print a script for a shell, which completes the words of bpf')
    .addArgument(new Argument('<shell>', 'which one').choices(shells))
    .action(lazily(async () => (await import('./complete.ts')).printScript));
  // For those scripts.
  bpf
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(lazily(async () => (await import('./complete.ts')).completer(bpf)));
}
