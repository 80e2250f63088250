// Starting other programs: one place, so that an ending runner ends everything it started.
import { spawn } from 'node:child_process';

/** What every step needs: where things are kept, when to stop, where progress goes. */
export interface Context {
  readonly cache: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

interface RunOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly input?: Uint8Array;
}

interface RunResult {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end, whatever its exit code. Rejects when it cannot be started or is told to stop. */
export function tryRun(
  signal: AbortSignal,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      signal,
      killSignal: 'SIGKILL',
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: 'pipe',
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program may end before it has read all of its input (EPIPE); its exit code tells the story better.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input);
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** As `tryRun`, but an exit code other than 0 is an error that carries what the program said. */
export async function run(
  signal: AbortSignal,
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Buffer> {
  const { code, stdout, stderr } = await tryRun(signal, command, args, options);
  if (code === 0) return stdout;
  const said = lastLines(stderr || stdout.toString(), 6);
  throw new Error(`${command.split('/').at(-1)} ${args[0] ?? ''} ended with ${code ?? 'a signal'}: ${said}`);
}

export function lastLines(text: string, count: number): string {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
