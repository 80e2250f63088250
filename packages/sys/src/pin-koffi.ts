import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { getLibc } from './libc.ts';

const RTLD_LAZY = 0x1;
const RTLD_NOLOAD = 0x4;
const RTLD_NODELETE = 0x1000;

/**
 * Keeps koffi's code in memory for good. When a Worker is the only one that has loaded it, its end would unload it, and
 * then libuv calls back into it, to say that a handle is closed: a crash, seen with koffi 3.3.4.
 *
 * @internal
 */
export function pinKoffi(): void {
  if (isMainThread) return;
  const path = readFileSync('/proc/self/maps', 'utf8').match(/\s(\/.*koffi\.node)$/m)?.[1];
  if (path === undefined) return;
  const dlopen = getLibc().koffi.load(null).func('void *dlopen(const char *, int)');
  dlopen(path, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}
