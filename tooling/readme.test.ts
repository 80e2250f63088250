import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { extractReadmes } from './readme.ts';

test('the examples of every README compile', () => {
  const files = extractReadmes();
  expect(files.length).toBeGreaterThanOrEqual(9);
  const config = join(dirname(files[0] as string), 'tsconfig.json');
  const options = {
    extends: '../../tooling/tsconfig/linux.json',
    compilerOptions: { isolatedDeclarations: false },
    files,
  };
  writeFileSync(config, JSON.stringify(options));
  const { status, stdout } = spawnSync(join(import.meta.dirname, '../node_modules/.bin/tsc'), ['-p', config], {
    encoding: 'utf8',
  });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
