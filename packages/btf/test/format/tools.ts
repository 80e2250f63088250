import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** The first of these commands that runs, for tests that compare with it; without one they are skipped, and say so. */
export function findTool(...commands: string[]): string | undefined {
  const found = commands.find((command) => spawnSync(command, ['--version']).status === 0);
  if (!found) console.log(`skipped: comparisons with ${commands[0]}, which is not installed`);
  return found;
}

export const vmlinux = '/sys/kernel/btf/vmlinux';
export const hasVmlinux: boolean = existsSync(vmlinux);
if (!hasVmlinux) console.log(`skipped: comparisons that need ${vmlinux}`);
