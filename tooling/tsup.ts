import { defineConfig } from 'tsup';

/**
 * How every library package is built: an ESM bundle for each entry, what entries share in chunks, the rest of the workspace
 * external. Declarations come from `tsc` (`tsconfig.build.json`), because tsup's own do not work with TypeScript 6.
 */
export function library(entry: string[] = ['src/index.ts']): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    dts: false,
    clean: true,
    treeshake: true,
  });
}
