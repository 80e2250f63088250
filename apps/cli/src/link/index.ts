import type { Command } from 'commander';
import { lazily } from '../lazily.ts';
import { JSON_LINES } from '../options.ts';

const WHICH = 'its id, or the path where it is pinned';

export function addLinkCommands(bpf: Command): void {
  const link = bpf.command('link').description('list, detach and pin links: what programs are attached to');
  link
    .command('list')
    .description('list all links')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./actions.ts')).listLinks));
  link
    .command('show')
    .description('print what the kernel knows of a link')
    .argument('<link>', WHICH)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./actions.ts')).showLink));
  link
    .command('detach')
    .description('detach the program of a link at once, whoever holds it')
    .argument('<link>', WHICH)
    .action(lazily(async () => (await import('./actions.ts')).detachLink));
  link
    .command('pin')
    .description('give a link a path, which keeps it')
    .argument('<link>', WHICH)
    .argument('<path>', 'on a bpffs')
    .action(lazily(async () => (await import('./actions.ts')).pinLink));
}
