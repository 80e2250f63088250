import { Command } from 'commander';
import { exitStatus, messageOf } from './failure.ts';
import { iterTask } from './iter-task.ts';

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
