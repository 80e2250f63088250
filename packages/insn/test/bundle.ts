import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Format } from 'esbuild';

const folder = join(import.meta.dirname, '..');

/** What the package can be imported as: '@bpf/insn', '@bpf/insn/text' and so on. */
function entries(): string[] {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, Record<string, string>>;
  };
  return Object.entries(exports).map(([entry, { '@bpf/source': source = '' }]) => {
    if (!existsSync(join(folder, source)))
      throw new Error(`package.json exports '${entry}' from ${source}, which is not there`);
    return name + entry.slice(1);
  });
}

/** A module that exports all that every entry does: those of `.` by their names, the others each as an object. */
export function everything(): string {
  const [main = '', ...others] = entries();
  const parts = others.map((entry) => `export * as ${entry.replace(/.*\//, '')} from '${entry}';`);
  return [`export * from '${main}';`, ...parts].join('\n');
}

/** Bundles a module as the bundler of a web page would; an `iife` leaves its exports in the global variable `insn`. */
export async function bundle(module: string, format: Format = 'esm'): Promise<{ code: string; imports: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: module, resolveDir: folder, loader: 'ts' },
    bundle: true,
    minify: true,
    format,
    globalName: 'insn',
    platform: 'neutral',
    target: 'es2022',
    conditions: ['@bpf/source'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
  return { code: outputFiles.map(({ text }) => text).join(''), imports };
}

/** What is sent over the wire. */
export function gzipBytes(code: string): number {
  return gzipSync(code, { level: 9 }).length;
}
