import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';

const packages = join(import.meta.dirname, '../../packages');

/**
 * Imports what a package exports from the file that has it. Of a file that only re-exports, esbuild puts all that lies behind
 * it into the same piece: each command would load every package whole.
 */
export const pastBarrels: Plugin = {
  name: 'past-barrels',
  setup(build) {
    build.onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replace(
        /^import \{([^}]*)\} from '@bpf\/([\w-]+)(\/\w+)?';$/gm,
        (whole, names: string, name: string, part = '') => direct(names, join(packages, name, 'src', part)) ?? whole,
      ),
      loader: 'ts',
    }));
  },
};

/** An import for each name; undefined when one is not re-exported by its name. */
function direct(names: string, folder: string): string | undefined {
  const places = reExports(join(folder, 'index.ts'));
  const imports = items(names).map((item) => {
    const [name = '', alias = name] = item.split(' as ');
    const place = places.get(name);
    return place && `import { ${place.name} as ${alias} } from ${JSON.stringify(place.file)};`;
  });
  return imports.includes(undefined) ? undefined : imports.join(' ');
}

interface Place {
  readonly file: string;
  readonly name: string;
}

function reExports(barrel: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const [, names = '', from = ''] of readFileSync(barrel, 'utf8').matchAll(
    /^export \{([^}]*)\} from '([^']+)';$/gm,
  ))
    for (const item of items(names)) {
      const [name = '', alias = name] = item.split(' as ');
      places.set(alias, { file: join(dirname(barrel), from), name });
    }
  return places;
}

/** What is between the braces, types left out. */
const items = (names: string): string[] =>
  names
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && !item.startsWith('type '));
