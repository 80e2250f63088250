import { type Plugin, transform } from 'esbuild';
import { defineConfig } from 'tsup';
import manifest from './package.json' with { type: 'json' };
import { pastBarrels } from './past-barrels.ts';

/** commander loads it for commands that are programs of their own, of which there are none: a quarter of its time. */
const withoutChildProcess: Plugin = {
  name: 'without-child-process',
  setup(build) {
    build.onResolve({ filter: /^node:child_process$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    build.onLoad({ filter: /./, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/**
 * The command with everything in it but koffi, whose native half cannot be bundled and is loaded on first use. A start is
 * fast for three reasons: what a command does is in a file of its own, which is not read before; the files are minified;
 * and they are CommonJS, which Node loads in half the time of modules.
 */
export default defineConfig({
  entry: { bpf: 'src/bpf.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  removeNodeProtocol: false,
  noExternal: [/^(?!koffi$|node:)/],
  minify: true,
  splitting: true,
  clean: true,
  dts: false,
  define: { __VERSION__: JSON.stringify(manifest.version) },
  outExtension: () => ({ js: '.cjs' }),
  banner: { js: '#!/usr/bin/env node' },
  esbuildPlugins: [pastBarrels, withoutChildProcess],
  plugins: [
    {
      // esbuild splits modules only.
      name: 'commonjs',
      renderChunk: async (code) =>
        transform(code, {
          format: 'cjs',
          minify: true,
          target: 'node20',
          platform: 'node',
          define: { 'import.meta.url': '__filename' },
          supported: { 'dynamic-import': false },
        }),
    },
  ],
  esbuildOptions(options) {
    options.conditions = ['@bpf/source'];
  },
});
