import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KERNEL } from './jobs.ts';

const CLI = '../../apps/cli/dist/bpf.cjs';
const commands = {
  ours: [process.execPath, CLI, 'btf', 'dump', '--format', 'raw'],
  theirs: ['bpftool', 'btf', 'dump', 'file', KERNEL, 'format', 'raw'],
} as const;

export type Where = 'file' | 'pipe' | '/dev/null';

/** Why the processes cannot be compared; undefined when they can, and print the same. */
export function whyNoDump(folder: string): string | undefined {
  if (!existsSync(CLI)) return 'no dump: build the command first (npx pnpm --filter @bpf/cli build).';
  if (spawnSync('bpftool', ['version']).error)
    return 'no comparison of dumps: install bpftool (Debian: apt-get install bpftool).';
  const [ours, theirs] = (['ours', 'theirs'] as const).map((who) => {
    dump(who, 'file', folder);
    return readFileSync(join(folder, who));
  });
  return ours?.equals(theirs as Buffer) ? undefined : 'no comparison of dumps: bpftool and bpf print different text.';
}

/** Milliseconds that a whole process takes to print the kernel's types as raw text. */
export function dump(who: keyof typeof commands, where: Where, folder: string): number {
  const command = where === 'pipe' ? ['sh', '-c', '"$@" | cat > /dev/null', 'sh', ...commands[who]] : commands[who];
  const [file, ...args] = command as [string, ...string[]];
  // Certificates that someone adds take longer to load than Node.
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const out = openSync(where === 'file' ? join(folder, who) : '/dev/null', 'w');
  try {
    const start = performance.now();
    const { status } = spawnSync(file, args, { env, stdio: ['ignore', out, 'inherit'] });
    if (status !== 0) throw new Error(`${file} ended with ${status}`);
    return performance.now() - start;
  } finally {
    closeSync(out);
  }
}
