import { defineConfig } from 'vitest/config';

// Tests read the sources of the workspace, not what was built.
const conditions = ['@bpf/source', 'module', 'node', 'import'];

/** Unit tests, which run anywhere and read the sources. Kernel tests are run by tooling/test.ts. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['{packages,apps}/*/test/**/*.test.ts', 'tooling/**/*.test.ts'],
    exclude: ['**/*.kernel.test.ts', '**/planted.test.ts', '**/node_modules/**'],
    testTimeout: 60_000,
  },
});
