import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { mapCreate, UnavailableError } from '../src/index.ts';

/** Why there are no maps for this process; undefined when there are. */
export function whyNoMaps(): string | undefined {
  try {
    mapCreate({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return undefined;
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    throw error;
  }
}

/** Bundles a program, as a Worker and `--expose-gc` want it, and runs it. @returns what it printed */
export async function runProgram(
  program: URL,
  args: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<string> {
  // Where koffi is found from.
  const folder = join(import.meta.dirname, '../../../.cache/sys-tests');
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, basename(program.pathname).replace(/ts$/, 'mjs'));
  await build({
    entryPoints: [fileURLToPath(program)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['koffi'],
    logLevel: 'warning',
  });
  return execFileSync(process.execPath, ['--expose-gc', ...flags, outfile, ...args], { encoding: 'utf8' });
}
