import { defineConfig } from 'tsup';
import manifest from './package.json' with { type: 'json' };

/** One file with everything in it but koffi, whose native half cannot be bundled and is loaded on first use. */
export default defineConfig({
  entry: { bpf: 'src/bpf.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  noExternal: [/^(?!koffi$|node:)/],
  minifySyntax: true,
  splitting: false,
  clean: true,
  dts: false,
  define: { __VERSION__: JSON.stringify(manifest.version) },
  banner: {
    // commander and cli-table3 are CommonJS and ask for `require` at run time.
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  esbuildOptions(options) {
    options.conditions = ['@bpf/source'];
  },
});
