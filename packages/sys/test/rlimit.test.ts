import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// With the limit low, and without the capability to raise it; root has that unless it is taken away.
const asNobody = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
const [file = '', ...args] = [...asNobody, 'prlimit', '--memlock=4096:4096'];
const possible = process.platform === 'linux' && spawnSync(file, [...args, 'true']).status === 0;

test.runIf(possible)('raising the limit of locked memory without the capability says what it needs', () => {
  const script = `
    import { raiseMemlock } from './src/index.ts';
    try { raiseMemlock() } catch (error) { console.log(error.name, error.code, error.message) }`;
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  const { stdout } = spawnSync(file, [...args, ...node], { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' });
  expect(stdout).toMatch(/^SysError EPERM prlimit64 failed with EPERM: .*CAP_SYS_RESOURCE/);
});
