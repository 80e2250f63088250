import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** One round of a job of libbpf.c: what it measured, and the sum that must be ours too. */
export type Libbpf = (...job: readonly string[]) => { value: number; sum: number };

/** Compiles libbpf.c into a folder; or says why there is no comparison. The package is the current folder, as npm makes it. */
export function compileLibbpf(folder: string): Libbpf | string {
  const out = join(folder, 'libbpf');
  const { status, error, stderr } = spawnSync('gcc', ['-O2', '-o', out, 'bench/libbpf.c', '-lbpf'], {
    encoding: 'utf8',
  });
  if (status !== 0)
    return `no comparison with libbpf: install gcc and its header (Debian: apt-get install gcc libbpf-dev). ${error?.message ?? stderr.split('\n', 1)}`;
  return (...job) => {
    const [value = Number.NaN, sum = Number.NaN] = execFileSync(out, job, { encoding: 'utf8' }).split(' ').map(Number);
    return { value, sum };
  };
}
