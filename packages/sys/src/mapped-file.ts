import { closeSync, fstatSync, openSync } from 'node:fs';
import { getLibc } from './libc.ts';

const PROT_READ = 1;
const MAP_PRIVATE = 2;

/**
 * Maps a file into memory, read-only, for as long as the process lives: for files that do not change, and are too large to
 * read whole, such as the kernel's BTF. Writing to the bytes is a crash.
 *
 * @returns undefined when the file cannot be mapped (a file of sysfs only since Linux 6.16): read it instead
 * @throws what `fs.openSync` throws; UnavailableError
 */
export function mapFile(path: string): Uint8Array | undefined {
  const { koffi, mmap } = getLibc();
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const address = size > 0 ? mmap(0n, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    return address === MAP_FAILED ? undefined : new Uint8Array(koffi.view(address, size));
  } finally {
    closeSync(fd);
  }
}

const MAP_FAILED = 2n ** 64n - 1n;
