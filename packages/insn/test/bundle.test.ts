import { describe, expect, test } from 'vitest';
import { bundle, everything, gzipBytes } from './bundle.ts';

/** What may be sent to a browser, in bytes: minified and compressed. */
const limits: [what: string, module: () => string, limit: number][] = [
  ['everything', everything, 16 * 1024],
  ['mov, exit and assemble', () => "export { assemble, exit, mov } from '@bpf/insn';", 2 * 1024],
];

describe.each(limits)('%s', (what, module, limit) => {
  test(`is at most ${limit} bytes`, async () => {
    const bytes = gzipBytes((await bundle(module())).code);
    console.log(`${what}: ${bytes} bytes minified and gzipped, of ${limit}`);
    expect(bytes).toBeLessThanOrEqual(limit);
  });

  test('imports nothing, and knows nothing of Node', async () => {
    const { code, imports } = await bundle(module());
    expect(imports).toEqual([]);
    expect(code).not.toMatch(/\b(Buffer|process|require|__dirname|globalThis)\b/);
  });
});

test('the helpers are only in bundles that ask for them', async () => {
  const { code } = await bundle("export * from '@bpf/insn';");
  expect(code).not.toContain('map_lookup_elem');
});
