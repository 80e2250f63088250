import { CommanderError } from 'commander';

const FAILED = 1;
const USAGE = 2;
/** What test harnesses (automake, meson) take for "skipped": this machine cannot. */
const CANNOT = 77;

export function exitStatus(error: unknown): number {
  if (error instanceof CommanderError) return USAGE;
  // By name: its class would bring all of @bpf/sys, before it is known what for.
  return error instanceof Error && error.name === 'UnavailableError' ? CANNOT : FAILED;
}

export function messageOf(error: unknown): string {
  if (error instanceof CommanderError) return error.message.replace(/^error: /, '');
  return error instanceof Error ? error.message : String(error);
}

/** What standard output is to takes no more. A reader that has seen enough, such as head, is no failure; a full disk is. */
export function endOfOutput(error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`bpf: standard output: ${error.message}\n`);
  process.exit(FAILED);
}
