import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoName, rawSyscall, withScope } from '@bpf/sys';

const MOUNT = process.arch === 'x64' ? 165 : 40;
const UMOUNT2 = process.arch === 'x64' ? 166 : 39;

/** Runs a test with the path of a bpffs of its own, which goes with all that is pinned on it. */
export function withBpffs<Result extends void | Promise<void>>(run: (path: string) => Result): Result {
  const path = mkdtempSync(join(tmpdir(), 'bpffs-'));
  const end = (): void => {
    // Not mounted, if that is what failed.
    withScope(({ cString }) => rawSyscall(UMOUNT2, cString(path), 0));
    rmdirSync(path);
  };
  let result: Result | undefined;
  try {
    withScope(({ cString }) => check('mount', rawSyscall(MOUNT, cString('bpf'), cString(path), cString('bpf'), 0, 0)));
    result = run(path);
    return result instanceof Promise ? (result.finally(end) as Result) : result;
  } finally {
    if (!(result instanceof Promise)) end();
  }
}

function check(syscall: string, result: number | bigint): void {
  if (result < 0) throw new Error(`${syscall} failed with ${errnoName(-Number(result))}`);
}
