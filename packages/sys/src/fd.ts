import { closeSync } from 'node:fs';

/**
 * Owns a file descriptor. Close it, or declare it with `using`; nothing is closed behind your back.
 *
 * @example
 * ```ts
 * using fd = progLoad({ ... });
 * ```
 */
export class Fd implements Disposable {
  #fd: number | undefined;

  constructor(fd: number) {
    this.#fd = fd;
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
    closeSync(fd);
  }

  /** Hands the descriptor to the caller, who now has to close it. */
  disown(): number {
    const { fd } = this;
    this.#fd = undefined;
    return fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
