import { setTimeout as sleep } from 'node:timers/promises';
import { eachObject } from '@bpf/programs';
import { progGetInfo } from '@bpf/sys';
import { makeProgram } from '../src/program.ts';

export interface Traced {
  readonly out: string;
  readonly err: string;
}

const LIMIT_MS = 20_000;

/**
 * Runs `bpf trace` in this process, as a guest takes seconds to start another; `act` when it has attached, with what was
 * printed so far. Then it is ended as by Ctrl-C, whatever `act` did; with a limit, if it does not end itself soon. This
 * process's calls are traced with `--pid` only.
 */
export async function trace(
  args: readonly (string | number)[],
  act: (out: () => string) => unknown = () => {},
): Promise<Traced> {
  const { write: writeOut } = process.stdout;
  const { write: writeErr } = process.stderr;
  let [out, err] = ['', ''];
  let begun = (): void => {};
  const attached = new Promise<void>((resolve) => {
    begun = resolve;
  });
  process.stdout.write = (chunk: string | Uint8Array): boolean => {
    out += chunk;
    return true;
  };
  process.stderr.write = (chunk: string | Uint8Array): boolean => {
    err += chunk;
    if (String(chunk).startsWith('Tracing ')) begun();
    return true;
  };
  const done = makeProgram('0').parseAsync(['trace', ...args.map(String)], { from: 'user' });
  try {
    await Promise.race([attached, done]);
    await act(() => out);
    if (args.includes('--limit')) await Promise.race([done, sleep(LIMIT_MS, undefined, { ref: false })]);
  } finally {
    // Nobody is hurt when it has ended, other than by a signal.
    process.emit('SIGINT', 'SIGINT');
    await done.catch(() => {});
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
  await done;
  return { out, err };
}

/** The ids of the programs that the kernel has. */
export const programIds = (): number[] => [...eachObject('program', progGetInfo)].map(({ id }) => id);
