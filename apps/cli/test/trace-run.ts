import { eachObject } from '@bpf/programs';
import { progGetInfo } from '@bpf/sys';
import { makeProgram } from '../src/program.ts';

export interface Traced {
  readonly out: string;
  readonly err: string;
}

/**
 * Runs `bpf trace` in this process, as a guest takes seconds to start another; `act` when it has attached,
 * with what was printed so far. Then it is ended
 * as by Ctrl-C, if it has not ended itself. This process's calls are traced with `--pid` only.
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
  try {
    let ended = false;
    const command = makeProgram('0').parseAsync(['trace', ...args.map(String)], { from: 'user' });
    const done = command.finally(() => {
      ended = true;
    });
    await Promise.race([attached, done]);
    await act(() => out);
    // A limit that was reached ends it in a moment; a signal would find nobody who listens.
    if (!ended && !args.includes('--limit')) process.kill(process.pid, 'SIGINT');
    await done;
    return { out, err };
  } finally {
    process.stdout.write = writeOut;
    process.stderr.write = writeErr;
  }
}

/** The ids of the programs that the kernel has. */
export const programIds = (): number[] => [...eachObject('program', progGetInfo)].map(({ id }) => id);
