// A cgroup of a test's own: no test attaches to one that it did not make.
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountOf, UnavailableError } from '@bpf/sys';

export interface TestCgroup {
  readonly path: string;
  readonly fd: number;
  /** Runs `fn` with this process in the cgroup, and takes it back to where it was. */
  inside<T>(fn: () => T): T;
}

/**
 * Makes a cgroup for `fn`, and removes it.
 *
 * @throws UnavailableError when no cgroup2 is mounted
 */
export function withCgroup<T>(fn: (cgroup: TestCgroup) => T): T {
  const mount = mountOf('cgroup2');
  if (mount === undefined) throw new UnavailableError('No cgroup2 is mounted.');
  const path = join(mount, `bpf_test_${process.pid}`);
  mkdirSync(path);
  const fd = openSync(path, 'r');
  const enter = (folder: string): void => writeFileSync(join(folder, 'cgroup.procs'), String(process.pid));
  try {
    return fn({
      path,
      fd,
      inside(fn) {
        const [, home = '/'] = readFileSync('/proc/self/cgroup', 'utf8').match(/^0::(.*)$/m) ?? [];
        enter(path);
        try {
          return fn();
        } finally {
          enter(join(mount, home));
        }
      },
    });
  } finally {
    closeSync(fd);
    rmdirSync(path);
  }
}
