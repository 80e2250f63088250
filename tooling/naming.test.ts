import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Row {
  readonly page: string;
  readonly reference: readonly string[];
  readonly name: string;
  readonly folder: string;
}

/** The rows of docs/naming.md. */
function rows(): Row[] {
  const found: Row[] = [];
  let page = '';
  for (const line of readFileSync(join(root, 'docs/naming.md'), 'utf8').split('\n')) {
    page = /^## (.*)$/.exec(line)?.[1] ?? page;
    const [, reference = '', typescript = '', packageName = ''] = line.split('|').map((cell) => cell.trim());
    const name = /^`(\w+)/.exec(typescript)?.[1];
    if (!packageName.startsWith('@bpf/') || name === undefined) continue;
    const references = [...reference.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);
    found.push({ page, reference: references, name, folder: packageName.replace('@bpf/', 'packages/') });
  }
  return found;
}

/** How many names each page of the reference has. */
const counts: Readonly<Record<string, number>> = {
  'clj-ebpf.syscall': 55,
  'clj-ebpf.dsl.iter': 31,
  'The guide of BPF iterators': 4,
  'clj-ebpf.dsl.fentry': 32,
  'clj-ebpf.maps.helpers': 9,
};

test.each(Object.entries(counts))('every name of %s is there once', (page, count) => {
  const references = rows()
    .filter((row) => row.page === page)
    .flatMap(({ reference }) => reference);
  expect(new Set(references).size).toBe(references.length);
  expect(references).toHaveLength(count);
});

describe.each([...new Set(rows().map(({ folder }) => folder))])('%s', (folder) => {
  const sources = filesIn(join(root, folder, 'src')).map((path) => readFileSync(path, 'utf8'));
  const names = [
    ...new Set(
      rows()
        .filter((row) => row.folder === folder)
        .map(({ name }) => name),
    ),
  ];

  test.each(names)('%s is exported', async (name) => {
    const all = (await import(join(root, folder, 'src/index.ts'))) as Record<string, unknown>;
    expect(all).toHaveProperty(name);
  });

  test.each(names)('%s is documented', (name) => {
    const declared = new RegExp(`\\*/\\n(?:@internal\\n)?export (?:async )?(?:function\\*?|const|class) ${name}\\b`);
    expect(sources.some((source) => declared.test(source))).toBe(true);
  });
});

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}
