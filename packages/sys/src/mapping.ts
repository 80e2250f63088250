import { sysError } from './error.ts';
import { type FdLike, fdNumber } from './fd.ts';
import { getLibc } from './libc.ts';
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_NORESERVE,
  MAP_PRIVATE,
  MAP_SHARED,
  mmapRaw,
  PROT_READ,
  PROT_WRITE,
  pageSize,
} from './mmap.ts';
import { rawSyscall } from './raw-syscall.ts';

const NO_FD = -1;

export interface MmapOptions {
  readonly fd: FdLike;
  /** Bytes, at least 1. The kernel maps whole pages. */
  readonly length: number;
  /** Bytes from the start, a multiple of {@link pageSize}. 0 unless told. */
  readonly offset?: number;
  /** Writing to what is mapped for reading is a crash (SIGSEGV). */
  readonly prot: 'read' | 'read-write';
}

/** Memory that is shared with the kernel or a file, until {@link Mapping.unmap}, or the end of a `using`. */
export class Mapping implements Disposable {
  readonly byteLength: number;
  readonly #address: number;
  #bytes: Uint8Array | undefined;

  /** Use {@link mmap}. @internal */
  constructor(address: number, byteLength: number) {
    this.#address = address;
    this.byteLength = byteLength;
    this.#bytes = new Uint8Array(getLibc().koffi.view(BigInt(address), byteLength));
  }

  /**
   * The memory itself, not a copy.
   *
   * @throws TypeError after unmap
   */
  get bytes(): Uint8Array {
    if (this.#bytes === undefined) throw new TypeError('this Mapping is unmapped');
    return this.#bytes;
  }

  /**
   * Where it begins.
   *
   * @throws TypeError after unmap
   */
  get address(): number {
    void this.bytes;
    return this.#address;
  }

  get unmapped(): boolean {
    return this.#bytes === undefined;
  }

  /**
   * Ends the sharing, and gives up what was mapped. Views that are still around see zeros. A second call does nothing.
   *
   * @throws SysError 'ENOMEM'
   */
  unmap(): void {
    if (this.#bytes === undefined) return;
    const { buffer } = this.#bytes;
    const length = wholePages(this.byteLength);
    // An ArrayBuffer of native memory cannot be detached, and one that reads what is unmapped is a crash: so empty memory
    // takes the place, and the addresses are released when no view can reach them any more.
    const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
    const result = mmapRaw(this.#address, length, PROT_READ | PROT_WRITE, flags, NO_FD, 0);
    if (result < 0) throw sysError('mmap', -result, `no memory to take the place of ${length} bytes that are unmapped`);
    this.#bytes = undefined;
    // A buffer whose memory went to another one, by ArrayBuffer.transfer, says nothing about views of that.
    if (buffer.byteLength > 0) unreachable.register(buffer, { address: this.#address, length });
  }

  [Symbol.dispose](): void {
    this.unmap();
  }
}

/** Frees address space only: what had been mapped there is long gone. */
const unreachable = new FinalizationRegistry(({ address, length }: { address: number; length: number }) => {
  rawSyscall(getLibc().numbers.munmap, address, length);
});

/**
 * Maps memory of a descriptor, shared, as mmap(2) does: an array map made with `mmapable`, the pages of a ring buffer or of
 * a perf event, a file. The kernel keeps what is mapped until it is unmapped, also when the descriptor is closed.
 * Any Linux; what can be mapped depends on the descriptor.
 *
 * @throws SysError; RangeError for a length or offset that cannot be; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * using mapping = mmap({ fd: map, length: 4096, prot: 'read-write' });
 * mapping.bytes[0] = 1;
 * ```
 */
export function mmap({ fd, length, offset = 0, prot }: MmapOptions): Mapping {
  const number = fdNumber(fd);
  if (!Number.isSafeInteger(length) || length < 1)
    throw new RangeError(`the length is ${length} bytes; it must be an integer of at least 1`);
  if (!Number.isSafeInteger(offset) || offset < 0 || offset % pageSize() !== 0)
    throw new RangeError(`the offset is ${offset} bytes; it must be a multiple of the page size, ${pageSize()}`);
  if (prot !== 'read' && prot !== 'read-write')
    throw new RangeError(`prot is '${prot}'; it must be 'read' or 'read-write'`);
  const result = mmapRaw(0, length, prot === 'read' ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, number, offset);
  if (result < 0)
    throw sysError('mmap', -result, `${length} bytes of descriptor ${number} at ${offset}${hints[-result] ?? ''}`);
  return new Mapping(result, length);
}

/** By errno. */
const hints: Readonly<Record<number, string>> = {
  1: "; of a ring buffer only the first page can be written to, so map the others with prot 'read'; perf buffers are limited by the sysctl kernel.perf_event_mlock_kb",
  13: "; it is not open for this: map it with prot 'read'",
  19: '; this kind of file cannot be mapped',
  22: '; these bytes are not all there, or not in one piece that can be mapped',
  524: "; this kind of map cannot be mapped, or was made without the flag 'mmapable'",
};

function wholePages(length: number): number {
  return Math.ceil(length / pageSize()) * pageSize();
}
