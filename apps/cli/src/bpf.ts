import { endOfOutput, exitStatus, messageOf } from './failure.ts';
import { makeProgram } from './program.ts';

declare const __VERSION__: string;

process.stdout.on('error', endOfOutput);
// When standard error takes no more, nobody is left to be told: the status stays what it is.
process.stderr.on('error', () => {});

makeProgram(__VERSION__, process.argv[2])
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`bpf: ${messageOf(error)}\n`);
    process.exitCode = exitStatus(error);
  });
