import { Command, Option } from 'commander';
import { asm, asmFormats } from './asm.ts';
import { addBtfCommands } from './btf.ts';
import { disasm, disasmFormats, disasmInputs } from './disasm.ts';
import { exitStatus, messageOf } from './failure.ts';
import { iterTask } from './iter-task.ts';
import { addLinkCommands } from './link/index.ts';
import { addMapCommands } from './map/index.ts';
import { addProgCommands } from './prog/index.ts';

declare const __VERSION__: string;

const bpf = new Command('bpf')
  .description('eBPF from the command line, without clang or libbpf.')
  .version(__VERSION__, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print this help')
  .addHelpText('after', '\nExit status: 0 done, 1 failed, 77 this machine cannot (the message says why).');

bpf
  .command('iter')
  .description('list objects of the kernel through a BPF iterator')
  .command('task')
  .description('list every thread: PID, TGID, COMM and state')
  .option('--json', 'print one JSON object a line')
  .action(iterTask);

bpf
  .command('asm')
  .description('assemble text to instructions')
  .argument('[file]', 'one instruction a line; - or nothing for standard input')
  .addOption(choice('--format <format>', 'what to print', asmFormats))
  .action(asm);

bpf
  .command('disasm')
  .description('print instructions as text')
  .argument('[file]', 'instructions; - or nothing for standard input')
  .addOption(choice('--format <format>', 'what to print', disasmFormats))
  .addOption(choice('--input <format>', 'what is read', disasmInputs))
  .action(disasm);

addBtfCommands(bpf);
addProgCommands(bpf);
addMapCommands(bpf);
addLinkCommands(bpf);

/** An option that is one of several words, the first unless said otherwise. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).default(words[0]);
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await bpf.parseAsync();
} catch (error) {
  process.stderr.write(`bpf: ${messageOf(error)}\n`);
  process.exitCode = exitStatus(error);
}
