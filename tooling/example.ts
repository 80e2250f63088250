// `npm run example NAME [arguments]`: runs an example of apps/examples from its source.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../apps/examples/src');
const [name = '', ...args] = process.argv.slice(2);
const file = join(folder, `${name}.ts`);
if (name === '' || !existsSync(file)) {
  const names = readdirSync(folder).map((example) => example.replace(/\.ts$/, ''));
  console.error(`usage: npm run example NAME [arguments], where NAME is one of: ${names.join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync('tsx', ['--conditions=@bpf/source', file, ...args], { stdio: 'inherit' });
process.exitCode = status ?? 1;
