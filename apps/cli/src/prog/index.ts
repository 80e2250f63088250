import { type Command, Option } from 'commander';
import { count, JSON_LINES } from '../options.ts';
import { dumpFormats, dumpProg } from './dump.ts';
import { listProgs, showProg } from './list.ts';
import { loadProg, pinProg } from './load.ts';
import { runProg } from './run.ts';

const WHICH = 'its id, its name, or the path where it is pinned';

export function addProgCommands(bpf: Command): void {
  const prog = bpf.command('prog').description('programs that are loaded: list, look into, run, load and pin them');
  prog.command('list').description('all of them').option('--json', JSON_LINES).action(listProgs);
  prog
    .command('show')
    .description('what the kernel knows of one')
    .argument('<prog>', WHICH)
    .option('--json', JSON_LINES)
    .action(showProg);
  prog
    .command('dump')
    .description('its instructions, as the kernel rewrote them')
    .argument('<prog>', WHICH)
    .addOption(new Option('--format <format>', 'what to print').choices(dumpFormats).default('xlated'))
    .option('--json', JSON_LINES)
    .action(dumpProg);
  prog
    .command('run')
    .description('run it without attaching it (BPF_PROG_TEST_RUN)')
    .argument('<prog>', WHICH)
    .option('--data <file>', 'the packet; 64 zeroed bytes unless told')
    .option('--ctx <file>', 'the context')
    .option('--repeat <times>', 'run it so often, and print the average time', count)
    .option('--json', JSON_LINES)
    .action(runProg);
  prog
    .command('load')
    .description('assemble a file, load the program and pin it')
    .argument('<file>', 'instructions as text, as `bpf asm` takes them; - for standard input')
    .argument('<path>', 'on a bpffs, such as /sys/fs/bpf/prog')
    .requiredOption('--type <type>', 'the program type, such as xdp')
    .option('--name <name>', 'its name; that of the path unless told')
    .option('--attach-type <type>', 'what it is to be attached as, such as trace_iter')
    .option('--attach-to <target>', 'the function, iterator or tracepoint that it is for')
    .action(loadProg);
  prog
    .command('pin')
    .description('give it a path, which keeps it')
    .argument('<prog>', WHICH)
    .argument('<path>', 'on a bpffs')
    .action(pinProg);
}
