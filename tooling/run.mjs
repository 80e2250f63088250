// `npm run demo`, `npm test` and their like on a machine that has Node and npm only: installs with the pinned pnpm, then runs the
// task. Plain JavaScript, because it runs before anything is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** @type {Record<string, string[][]>} */
const tasks = {
  demo: [
    ['turbo', 'run', 'build', '--filter=@bpf/cli', '--output-logs=errors-only'],
    ['node', 'apps/cli/dist/bpf.cjs', 'iter', 'task'],
  ],
  example: [['tsx', '--conditions=@bpf/source', 'tooling/example.ts']],
  'test:kernels': [
    ['turbo', 'run', 'build', '--filter=@bpf/cli', '--output-logs=errors-only'],
    ['tsx', '--conditions=@bpf/source', 'tooling/kernels/main.ts'],
  ],
  'test:nodes': [['tsx', '--conditions=@bpf/source', 'tooling/nodes.ts']],
  test: [['tsx', '--conditions=@bpf/source', 'tooling/test.ts']],
};

const [task = '', ...args] = process.argv.slice(2);
const commands = tasks[task];
if (!commands) {
  console.error(`usage: node tooling/run.mjs ${Object.keys(tasks).join('|')} [arguments]`);
  process.exit(2);
}

if (!installed()) run(['npx', '-y', packageManager, 'install', '--frozen-lockfile']);
for (const [i, command] of commands.entries()) run(i === commands.length - 1 ? [...command, ...args] : command);

/** pnpm keeps a copy of the lockfile that it installed last. */
function installed() {
  try {
    return readFileSync(join(root, 'node_modules/.pnpm/lock.yaml')).equals(readFileSync(join(root, 'pnpm-lock.yaml')));
  } catch {
    return false;
  }
}

/** @param {string[]} command */
function run([file, ...rest]) {
  const { status, error } = spawnSync(/** @type {string} */ (file), rest, {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
      TURBO_TELEMETRY_DISABLED: '1',
    },
  });
  if (error) console.error(`${file}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
