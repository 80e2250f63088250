import { type Command, InvalidArgumentError, Option } from 'commander';
import { MAX_FUNCTIONS } from '../choices.ts';
import { lazily } from '../lazily.ts';
import { count, JSON_LINES } from '../options.ts';

export function addTraceCommand(bpf: Command): void {
  bpf
    .command('trace')
    .description('show calls of functions of the kernel: who, with which arguments, with what result')
    .argument('<function...>', "names, and patterns with * and ?: vfs_unlink 'vfs_*'")
    .option('--exit', 'when they return, and not when they are called')
    .option('--args <paths>', 'only these arguments, or fields behind them: dfd,how.flags', paths)
    .option('--ret', 'what they return, too; implies --exit')
    .option('--pid <pid>', 'only calls of this process', count)
    .option('--comm <name>', 'only calls of threads with this name')
    .option('--stack', "the kernel's stack of each call")
    .addOption(option('--count', 'count calls').conflicts(['latency', ...ofEvents]))
    .addOption(
      option('--by <what>', 'what to count by')
        .choices(['function', 'comm'])
        .default('function')
        .implies({ count: true }),
    )
    .addOption(option('--latency', 'how long calls take, as a histogram').conflicts(['exit', ...ofEvents]))
    .option('--duration <seconds>', 'end after this time', seconds)
    .option('--limit <calls>', 'end after so many calls', count)
    .option('--json', JSON_LINES)
    .addHelpText('after', NOTES)
    .action(lazily(async () => (await import('./trace.ts')).trace));
}

const NOTES = `
A \`const char *\` is shown as a string, and a \`char *\` when --args names it, wherever it is: in the
kernel's memory or the process's. What the process has not in memory when a function is called is
there when it returns: --exit. A struct sockaddr is shown as address:port.

Calls that the compiler has inlined are not seen. Those of this command are left out, unless --pid
names it. Process ids are the machine's, in a container too. At most ${MAX_FUNCTIONS} functions are traced at
once.
`;

/** The options that are about single calls. */
const ofEvents = ['args', 'ret', 'stack', 'limit'];

const option = (flags: string, description: string): Option => new Option(flags, description);

function paths(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => /^[A-Za-z_]/.test(name))) return names;
  throw new InvalidArgumentError('it wants names of arguments, and fields behind them: dfd,how.flags.');
}

const MAX_SECONDS = 2_000_000;

function seconds(text: string): number {
  const number = Number(text);
  if (number > 0 && number <= MAX_SECONDS) return number;
  throw new InvalidArgumentError(`it wants seconds, above 0 and up to ${MAX_SECONDS}.`);
}
