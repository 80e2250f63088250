import { expect, test } from 'vitest';
import { bundle, gzipBytes } from '../../insn/test/bundle.ts';

/** What may be sent to a browser with all that it needs of `@bpf/insn`, in bytes: minified and compressed. */
const limits: [name: string, limit: number][] = [
  ['@bpf/dsl', 5 * 1024],
  ['@bpf/dsl-iter', 6 * 1024],
  ['@bpf/dsl-fentry', 7 * 1024],
  ['@bpf/dsl-maps', 3 * 1024],
];

test.each(limits)('%s is small, imports nothing, and knows nothing of Node', async (name, limit) => {
  const { code, imports } = await bundle(`export * from '${name}';`);
  const bytes = gzipBytes(code);
  console.log(`${name}: ${bytes} bytes minified and gzipped, of ${limit}`);
  expect(bytes).toBeLessThanOrEqual(limit);
  expect(imports).toEqual([]);
  expect(code).not.toMatch(/\b(Buffer|process|require|__dirname|globalThis)\b/);
});
