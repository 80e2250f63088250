// `npm run test:nodes [-- VERSION…]`: `npm test` under other versions of Node, which come as packages from npm.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { nodePackage } from './node-package.ts';

/** The oldest that is supported, and every release line since that has long-term support or will have it. */
const VERSIONS = ['20', '22', '24', '26'];

const root = join(import.meta.dirname, '..');
const {
  positionals,
  values: { 'may-skip': maySkip },
} = parseArgs({ allowPositionals: true, options: { 'may-skip': { type: 'string' } } });

const failed: string[] = [];
for (const version of positionals.length > 0 ? positionals : VERSIONS) {
  const bin = install(version);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const exact = execFileSync(join(bin, 'node'), ['--version'], { encoding: 'utf8' }).trim();
  console.log(`\n=== Node ${exact} ===\n`);
  const args = ['--conditions=@bpf/source', 'tooling/test.ts', ...(maySkip ? ['--may-skip', maySkip] : [])];
  const { status } = spawnSync('tsx', args, { cwd: root, stdio: 'inherit', env });
  if (status !== 0) failed.push(exact);
}
console.log(failed.length > 0 ? `\nfailed under Node ${failed.join(', ')}` : '\npassed under every version of Node');
process.exitCode = failed.length > 0 ? 1 : 0;

/** Gets a version of Node from npm into the cache, once; returns the folder that `node` is in. */
function install(version: string): string {
  const folder = join(root, '.cache/nodes', version);
  mkdirSync(folder, { recursive: true });
  const { args, bin } = nodePackage(folder, version, process.arch);
  execFileSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return bin;
}
