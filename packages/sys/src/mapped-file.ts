import { fstatSync } from 'node:fs';
import { fileOpen, O_RDONLY } from './files.ts';
import { getLibc } from './libc.ts';
import { MAP_PRIVATE, mmapRaw, PROT_READ } from './mmap.ts';

/**
 * Maps a file into memory, read-only, for as long as the process lives: for files that do not change, and are too large to
 * read whole, such as the kernel's BTF. Writing to the bytes is a crash.
 *
 * @returns undefined when the file cannot be mapped (a file of sysfs only since Linux 6.16): read it instead
 * @throws SysError when it cannot be opened; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * const btf = mapFile('/sys/kernel/btf/vmlinux') ?? fileReadAll('/sys/kernel/btf/vmlinux');
 * ```
 */
export function mapFile(path: string): Uint8Array | undefined {
  using file = fileOpen(path, O_RDONLY);
  const { size } = fstatSync(file.fd);
  // Private, because sysfs refuses what could be shared.
  const address = size > 0 ? mmapRaw(0, size, PROT_READ, MAP_PRIVATE, file.fd, 0) : -1;
  return address < 0 ? undefined : new Uint8Array(getLibc().koffi.view(BigInt(address), size));
}
