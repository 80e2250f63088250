// Writes packages/sys/src/uapi.gen.ts from the BTF of the newest kernel of the matrix, which it boots:
//
//   npx tsx --conditions=@bpf/source tooling/uapi/generate.ts [SERIES]
//
// `npm run test:kernels` checks on every kernel that it agrees.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildKernelTests, bundle } from '../kernel-test/build.ts';
import { formatUapi } from './format.ts';

const root = join(import.meta.dirname, '../..');
const [series = '7.2'] = process.argv.slice(2);

const job = mkdtempSync(join(tmpdir(), 'uapi-'));
try {
  cpSync(join(await buildKernelTests(), 'node_modules'), join(job, 'node_modules'), { recursive: true });
  await bundle(join(job, 'kernel-tests.mjs'), { entryPoints: [join(import.meta.dirname, 'job.ts')] });
  const runner = ['--conditions=@bpf/source', join(root, 'tooling/kernels/main.ts')];
  const options = ['--job', job, '--kernel', series, '--profile', 'root', '--keep-log'];
  const { status } = spawnSync('tsx', [...runner, ...options], { stdio: 'inherit', cwd: root });
  if (status !== 0) throw new Error(`the guest ended with ${status}`);
} finally {
  rmSync(job, { recursive: true });
}
const logs = join(root, '.cache/kernels/logs');
const newest = readdirSync(logs).find((name) => name === series) ?? series;
const line = readFileSync(join(logs, newest, 'output.txt'), 'utf8').match(/^uapi (.*)$/m)?.[1];
if (line === undefined) throw new Error(`Linux ${series} said nothing of bpf(2)`);
writeFileSync(join(root, 'packages/sys/src/uapi.gen.ts'), formatUapi(JSON.parse(line), newest));
