import { join } from 'node:path';

/** npm's arguments that install a version of Node, which it has as packages, and the folder that `node` is in then. */
export function nodePackage(folder: string, version: string, arch: string): { args: string[]; bin: string } {
  const name = `node-linux-${arch}`;
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  // Without force npm installs nothing that this machine cannot run.
  const force = arch === process.arch ? [] : ['--force'];
  const args = ['install', '--prefix', folder, ...quiet, '--prefer-offline', ...force, `${name}@${version}`];
  return { args, bin: join(folder, 'node_modules', name, 'bin') };
}
