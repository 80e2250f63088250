// `npm run example NAME [arguments]`: runs an example of apps/examples from its source.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

const folder = join(import.meta.dirname, '../apps/examples/src');
const [name = '', ...args] = process.argv.slice(2);
const examples = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const file = examples.find((file) => basename(file, '.ts') === name);
if (file === undefined) {
  const names = examples.map((example) => basename(example, '.ts')).sort();
  console.error(`usage: npm run example NAME [arguments], where NAME is one of: ${names.join(', ')}`);
  process.exit(2);
}
const { status } = spawnSync('tsx', ['--conditions=@bpf/source', join(folder, file), ...args], { stdio: 'inherit' });
process.exitCode = status ?? 1;
