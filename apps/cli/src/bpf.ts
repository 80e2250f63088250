import { exitStatus, messageOf } from './failure.ts';
import { makeProgram } from './program.ts';

declare const __VERSION__: string;

// A reader that has seen enough, such as head, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

try {
  await makeProgram(__VERSION__).parseAsync();
} catch (error) {
  process.stderr.write(`bpf: ${messageOf(error)}\n`);
  process.exitCode = exitStatus(error);
}
