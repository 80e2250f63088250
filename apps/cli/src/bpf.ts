import { endOfOutput, exitStatus, messageOf } from './failure.ts';
import { makeProgram } from './program.ts';

declare const __VERSION__: string;

process.stdout.on('error', endOfOutput);

makeProgram(__VERSION__, process.argv[2])
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`bpf: ${messageOf(error)}\n`);
    process.exitCode = exitStatus(error);
  });
