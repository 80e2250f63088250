import { defineConfig } from 'vitest/config';

// Tests read the sources of the workspace, not what was built.
const conditions = ['@bpf/source', 'module', 'node', 'import'];

const project = (name: string, include: string[], exclude: string[]) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name, include, exclude: ['**/node_modules/**', ...exclude], testTimeout: 60_000 },
});

/** Kernel tests (`*.kernel.test.ts`) are not for vitest: tooling/test.ts and tooling/kernels run them. */
export default defineConfig({
  test: {
    projects: [
      // Runs anywhere.
      project(
        'unit',
        ['{packages,apps}/*/test/**/*.test.ts', 'tooling/**/*.test.ts'],
        ['**/*.kernel.test.ts', '**/planted.test.ts'],
      ),
      // Failures planted in a kernel of the matrix, half a minute; wants one in the cache.
      project('planted', ['tooling/kernels/planted.test.ts'], []),
    ],
  },
});
