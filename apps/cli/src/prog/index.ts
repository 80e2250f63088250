import { type Command, Option } from 'commander';
import { progDumpFormats } from '../choices.ts';
import { lazily } from '../lazily.ts';
import { count, JSON_LINES } from '../options.ts';

const WHICH = 'its id, its name, or the path where it is pinned';

export function addProgCommands(bpf: Command): void {
  const prog = bpf.command('prog').description('list, look into, run, load and pin programs');
  prog
    .command('list')
    .description('list all programs')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./list.ts')).listProgs));
  prog
    .command('show')
    .description('print what the kernel knows of a program')
    .argument('<prog>', WHICH)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./list.ts')).showProg));
  prog
    .command('dump')
    .description('print the instructions of a program, as the kernel rewrote them')
    .argument('<prog>', WHICH)
    .addOption(new Option('--format <format>', 'what to print').choices(progDumpFormats).default('xlated'))
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./dump.ts')).dumpProg));
  prog
    .command('run')
    .description('run a program without attaching it (BPF_PROG_TEST_RUN)')
    .argument('<prog>', WHICH)
    .option('--data <file>', 'the packet; 64 zeroed bytes unless told')
    .option('--ctx <file>', 'the context')
    .option('--repeat <times>', 'run it so often, and print the average time', count)
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./run.ts')).runProg));
  prog
    .command('load')
    .description('assemble a file, load the program and pin it')
    .argument('<file>', 'instructions as text, as `bpf asm` takes them; - for standard input')
    .argument('<path>', 'on a bpffs, such as /sys/fs/bpf/prog')
    .requiredOption('--type <prog-type>', 'the program type, such as xdp')
    .option('--name <name>', 'its name; that of the path unless told')
    .option('--attach-type <attach-type>', 'what it is to be attached as, such as trace_iter')
    .option('--attach-to <place>', 'the function, iterator or tracepoint that it is for')
    .option('--json', JSON_LINES)
    .action(lazily(async () => (await import('./load.ts')).loadProg));
  prog
    .command('pin')
    .description('give a program a path, which keeps it')
    .argument('<prog>', WHICH)
    .argument('<path>', 'on a bpffs')
    .action(lazily(async () => (await import('./load.ts')).pinProg));
}
