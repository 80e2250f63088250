import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Nanoseconds that a C program takes for an instruction of the same program; or why there is no answer. The package is the
 * current folder, as npm makes it.
 */
export function fillInC(): number | string {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-bench-'));
  try {
    const out = join(folder, 'fill');
    const { status, error, stderr } = spawnSync('gcc', ['-O2', '-o', out, 'bench/fill.c'], {
      encoding: 'utf8',
    });
    if (status !== 0) return `gcc: ${error?.message ?? stderr}`;
    return Number(execFileSync(out, { encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
