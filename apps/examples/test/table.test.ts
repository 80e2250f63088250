import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => `src/${file}`);
const tests = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.kernel.test.ts'))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
  .join('\n');

test('the README lists every example, and no other', () => {
  const listed = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\| \[[\w-]+\]\((src\/\S+)\)/g)];
  expect(listed.map(([, file]) => file).sort()).toEqual([...files].sort());
});

test.each(files.map((file) => basename(file, '.ts')))('%s is run by a test', (name) => {
  expect(new RegExp(`'${name}(\\.mjs)?'`).test(tests)).toBe(true);
});

test('each name is there once, as they are bundled side by side', () => {
  expect(new Set(files.map((file) => basename(file))).size).toBe(files.length);
});
