import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { extractReadmes } from '../readme.ts';

const root = join(import.meta.dirname, '../..');

/**
 * Bundles every `*.kernel.test.ts` into one file, with the `bpf` command, the examples, those of
 * the READMEs, and koffi beside it: a folder that
 * runs on any Linux that has Node, this machine or a guest that has nothing else.
 *
 * @returns the folder; `node kernel-tests.mjs` in it runs the tests
 */
export async function buildKernelTests(): Promise<string> {
  const folder = join(root, '.cache/kernel-tests');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const tests = ['packages', 'apps'].flatMap((rooms) =>
    readdirSync(join(root, rooms)).flatMap((room) => filesIn(`${rooms}/${room}/test`, '.kernel.test.ts')),
  );
  tests.push(...filesIn('tooling/uapi', '.kernel.test.ts'));
  const entry = [
    ...tests.map((test) => `import './${test}';`),
    `import { runKernelTests } from './${relative(root, import.meta.dirname)}/harness.ts';`,
    'process.exitCode = await runKernelTests();',
  ].join('\n');
  await bundle(join(folder, 'kernel-tests.mjs'), { stdin: { contents: entry, resolveDir: root, loader: 'ts' } });
  for (const example of ['', '/reference'].flatMap((folder) => filesIn(`apps/examples/src${folder}`, '.ts')))
    await bundle(join(folder, `${basename(example, '.ts')}.mjs`), { entryPoints: [join(root, example)] });
  for (const block of extractReadmes())
    await bundle(join(folder, `${basename(block, '.ts')}.mjs`), { entryPoints: [block] });
  cpSync(join(root, 'apps/cli/dist'), join(folder, 'cli'), { recursive: true });
  copyKoffi(join(folder, 'node_modules'));
  return folder;
}

/** Files of a folder with this ending, as paths from the root. */
function filesIn(folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(ending));
  return names.sort().map((name) => `${folder}/${name}`);
}

export async function bundle(outfile: string, input: { stdin: object } | { entryPoints: string[] }): Promise<void> {
  await build({
    ...(input as object),
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@bpf/source'],
    external: ['koffi'],
    // A test file is imported for its side effects, whatever its package says of itself.
    ignoreAnnotations: true,
    // commander is CommonJS, and asks for `require` at run time.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    sourcemap: 'inline',
    sourcesContent: false,
    logLevel: 'warning',
  });
}

/** What koffi needs at run time on this architecture: its sources are not part of it. */
function copyKoffi(modules: string): void {
  const koffi = realpathSync(join(root, 'node_modules/koffi'));
  const native = `@koromix/koffi-linux-${process.arch}`;
  const code = /(\/koffi|\/src|\.cjs|package\.json)$/;
  cpSync(koffi, join(modules, 'koffi'), { recursive: true, filter: (path) => code.test(path) });
  cpSync(join(dirname(koffi), native), join(modules, native), { recursive: true });
}
