import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { referencePage } from '../docs/reference.ts';
import { withScreens } from '../docs/screens.ts';
import { makeProgram } from '../src/program.ts';

// `vitest run apps/cli/test/docs.test.ts -u` writes both pages; with BPF_SCREENS=all, as root on Linux, also those screens
// that depend on the kernel.

test('docs/cli.md is what the command says of itself', async () => {
  await expect(referencePage(makeProgram('0'))).toMatchFileSnapshot('../../../docs/cli.md');
});

test('the screens of the README are what the command prints', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-screens-'));
  symlinkSync(join(import.meta.dirname, '../dist/bpf.cjs'), join(folder, 'bpf'));
  try {
    const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
    expect(readme.match(/^<!-- screen -->$/gm)?.length).toBeGreaterThanOrEqual(2);
    const page = withScreens(readme, folder, process.env.BPF_SCREENS === 'all');
    await expect(page).toMatchFileSnapshot('../README.md');
  } finally {
    rmSync(folder, { recursive: true });
  }
});
