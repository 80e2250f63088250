// Packs every package as it would be published and looks at the tarballs: publint, are-the-types-wrong, and whether what
// is inside can be imported; the command is installed by npm, and run. Expects the packages to be built.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'bpf-pack-'));
const problems: string[] = [];

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  bin?: Record<string, string>;
  exports?: Record<string, unknown>;
  dependencies?: Record<string, string>;
}

try {
  const packed = ['packages', 'apps']
    .flatMap((rooms) => readdirSync(join(root, rooms)).map((room) => join(root, rooms, room)))
    .filter((folder) => existsSync(join(folder, 'package.json')) && !readManifest(folder).private)
    .map(pack);
  // koffi comes from the registry; everything else that a package needs must be in these tarballs.
  symlinkSync(join(root, 'node_modules/koffi'), join(work, 'node_modules/koffi'));
  for (const { folder, manifest } of packed) use(folder, manifest);
  for (const { tarball, manifest } of packed) if (manifest.bin) install(tarball, manifest);
} finally {
  rmSync(work, { recursive: true });
}
for (const problem of problems) console.error(problem);
console.log(problems.length > 0 ? `${problems.length} problems in the packages` : 'the packages are fit to publish');
process.exitCode = problems.length > 0 ? 1 : 0;

/** Packs a package, checks the tarball, and unpacks it as if it had been installed. */
function pack(source: string): { tarball: string; folder: string; manifest: Manifest } {
  const { name } = readManifest(source);
  const tarball = join(work, `${name.replace('/', '-')}.tgz`);
  execFileSync('pnpm', ['pack', '--out', tarball], { cwd: source, stdio: 'pipe' });
  const folder = join(work, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1']);
  const manifest = readManifest(folder);

  check(name, 'publint', ['--strict', tarball]);
  if (!manifest.bin) check(name, 'attw', ['--profile', 'esm-only', tarball]);
  for (const file of ['README.md', 'LICENSE', 'package.json'])
    if (!existsSync(join(folder, file))) problems.push(`${name}: the tarball has no ${file}`);
  const text = readFileSync(join(folder, 'package.json'), 'utf8');
  for (const left of ['"@bpf/source"', 'workspace:', 'catalog:'])
    if (text.includes(left)) problems.push(`${name}: the packed package.json still says '${left}'`);
  return { tarball, folder, manifest };
}

function check(name: string, tool: string, args: string[]): void {
  const { status, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
  console.log(`${status === 0 ? '✓' : '×'} ${name}: ${tool}`);
  if (status !== 0) problems.push(`${name}: ${tool} says\n${stdout}${stderr}`);
}

/** Imports every entry of an installed package, or runs its command. */
function use(folder: string, { name, bin, exports = {} }: Manifest): void {
  const entries = Object.keys(exports).map((entry) => `${name}${entry.slice(1)}`);
  const imports = entries.map((entry) => `if (Object.keys(await import('${entry}')).length === 0) process.exit(1);`);
  const args = bin
    ? [join(folder, Object.values(bin)[0] ?? ''), '--version']
    : ['--input-type=module', '-e', imports.join('\n')];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: work, encoding: 'utf8' });
  if (status !== 0) problems.push(`${name}: what is in the tarball does not run\n${stderr}`);
}

/** Installs a command with npm, as a user does, in a folder that has nothing, and runs it there. */
function install(tarball: string, { name, version, bin = {} }: Manifest): void {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-install-'));
  try {
    const run = (file: string, args: string[]) => spawnSync(file, args, { cwd: folder, encoding: 'utf8' });
    const installed = run('npm', ['install', '--no-audit', '--no-fund', tarball]);
    if (installed.status !== 0) {
      problems.push(`${name}: npm does not install the tarball\n${installed.stderr}`);
      return;
    }
    const [command = ''] = Object.keys(bin);
    const said = run('npx', ['--no', command, '--', '--version']);
    if (said.stdout.trim() !== version)
      problems.push(`${name}: npx ${command} --version says\n${said.stdout}${said.stderr}`);
    // Whatever this machine permits, the native part must be there.
    const doctor = run('npx', ['--no', command, '--', 'doctor']);
    const loads = /^ok +koffi +loads$/m.test(doctor.stdout);
    if (!loads) problems.push(`${name}: npx ${command} doctor says\n${doctor.stdout}${doctor.stderr}`);
    console.log(`${loads ? '✓' : '×'} ${name}: installed by npm`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
