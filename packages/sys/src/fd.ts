import { closeSync } from 'node:fs';
import { loadedLibc } from './libc.ts';

/** Anything that has a descriptor: an {@link Fd}, a map, a program. */
export interface HasFd {
  readonly fd: number;
}

/** A descriptor: its number, or whatever owns one. */
export type FdLike = number | HasFd;

/**
 * The number of a descriptor.
 *
 * @throws RangeError when it cannot be one; TypeError when its owner is closed
 * @internal
 */
export function fdNumber(fd: FdLike): number {
  const number = typeof fd === 'number' ? fd : fd.fd;
  if (Number.isInteger(number) && number >= 0 && number <= 0x7fff_ffff) return number;
  throw new RangeError(`the descriptor is ${number}; it must be an integer in 0..2147483647`);
}

/**
 * What is to end before a descriptor is closed, by its number: the waits of poll.ts, which the kernel would forget
 * without a word.
 *
 * @internal
 */
export const beforeClose: Map<number, () => void> = new Map<number, () => void>();

/**
 * Who owns which number, of this thread. A number that comes again was closed behind its owner's back, or is handed to a
 * second one: either way the first may neither close it nor pass it to the kernel, which would write values of another
 * map's size into its memory.
 */
const owners = new Map<number, Fd>();

/**
 * Owns a file descriptor. Close it, or declare it with `using`; nothing is closed behind your back. A descriptor has one
 * owner: making another one takes it from the first, as if by {@link Fd.disown}.
 *
 * @example
 * ```ts
 * using prog = progLoad({ type: 'socket_filter', insns, license: 'GPL' });
 * ```
 */
export class Fd implements Disposable {
  #fd: number | undefined;

  /** @throws RangeError when it cannot be one */
  constructor(fd: number) {
    const number = fdNumber(fd);
    owners.get(number)?.disown();
    owners.set(number, this);
    this.#fd = number;
  }

  /**
   * The number, while this owns it.
   *
   * @throws TypeError after close or disown
   */
  get fd(): number {
    if (this.#fd === undefined) throw new TypeError(`this ${this.constructor.name} is closed`);
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd === undefined;
  }

  /** Closes the descriptor; the kernel frees the object when nothing else holds it. A second close does nothing. */
  close(): void {
    if (this.#fd === undefined) return;
    const fd = this.#fd;
    this.#fd = undefined;
    owners.delete(fd);
    beforeClose.get(fd)?.();
    // In half the time of fs.closeSync. Whatever it answers, the number is no longer ours.
    const libc = loadedLibc();
    if (libc) libc.syscall(libc.numbers.close, fd, 0, 0);
    else closeSync(fd);
  }

  /** Hands the descriptor to the caller, who now has to close it. */
  disown(): number {
    const { fd } = this;
    this.#fd = undefined;
    owners.delete(fd);
    return fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
