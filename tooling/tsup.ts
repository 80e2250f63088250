import { defineConfig } from 'tsup';

/**
 * How every library package is built: one ESM bundle an entry, the rest of the workspace external.
 * Declarations come from `tsc` (`tsconfig.build.json`), because tsup's own do not work with TypeScript 6.
 */
export const library: ReturnType<typeof defineConfig> = defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  dts: false,
  clean: true,
  treeshake: true,
});
