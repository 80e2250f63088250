import { read, readSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Fd, iterCreate } from '@bpf/sys';
import { type AttachOptions, attach } from './attach.ts';
import { ProgramError } from './error.ts';
import type { Link } from './link.ts';
import { type LoadOptions, loadProgram, type Program } from './load.ts';
import type { ProgramSpec } from './spec.ts';

/** The kernel hands out at most one seq_file buffer a read: 32 KiB, eight pages. */
const CHUNK_BYTES = 64 * 1024;
/** A read may say EAGAIN after a million elements without output; a program that restarts an element says so forever. */
const MAX_AGAIN = 1000;

const readAsync = promisify(read);

/** How a record lies in bytes: a schema of `@bpf/btf/data`. */
export interface RecordSchema<Value> {
  readonly size: number;
  decode(bytes: Uint8Array): Value;
}

/** Owns an iterator: its program, its link and one pass over the kernel's objects. */
export class BpfIterator implements Disposable {
  readonly program: Program;
  readonly link: Link;
  readonly #iter: Fd;

  constructor(program: Program, link: Link, iter: Fd) {
    this.program = program;
    this.link = link;
    this.#iter = iter;
  }

  /** The descriptor whose reads run the program. @throws TypeError after close */
  get fd(): number {
    return this.#iter.fd;
  }

  /**
   * The output as it comes, each chunk a copy. The pass is over when this ends: open another iterator for another.
   *
   * @throws ProgramError `ELEMENT_TOO_LARGE` when one element wrote more than the kernel's buffer of 32 KiB holds,
   * `RESTARTED` when the program returns 1, with which the kernel runs it on the same element again
   */
  *chunks(): Generator<Uint8Array> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let length = this.#read(buffer); length > 0; length = this.#read(buffer)) yield buffer.slice(0, length);
  }

  /** The whole output. @throws ProgramError as {@link chunks} */
  read(): Uint8Array {
    const chunks = [...this.chunks()];
    const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.byteLength;
    }
    return all;
  }

  /**
   * The output of a program that writes records of one size, record by record, however the reads split them: as bytes, or
   * as what a schema makes of them.
   *
   * @throws ProgramError `RECORD_SPLIT` when the output ends inside a record; as {@link chunks}
   * @example
   * ```ts
   * for (const { pid, comm } of tasks.records(struct({ pid: u32, comm: char(16) }))) console.log(pid, comm);
   * ```
   */
  records(byteLength: number): Generator<Uint8Array>;
  records<Value>(schema: RecordSchema<Value>): Generator<Value>;
  *records(layout: number | RecordSchema<unknown>): Generator<unknown> {
    if (typeof layout === 'number') return yield* this.#records(layout);
    for (const bytes of this.#records(layout.size)) yield layout.decode(bytes);
  }

  /**
   * The output of a program that prints text, line by line, without the line ends.
   *
   * @throws ProgramError as {@link chunks}
   */
  *lines(): Generator<string> {
    const decoder = new TextDecoder();
    let rest = '';
    for (const chunk of this.chunks()) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
    rest += decoder.decode();
    if (rest !== '') yield rest;
  }

  /** The output as it comes, read without holding up the event loop: for passes that take long. As {@link chunks}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let again = 0; ; ) {
      try {
        const { bytesRead } = await readAsync(this.fd, buffer, 0, CHUNK_BYTES, null);
        if (bytesRead === 0) return;
        again = 0;
        yield buffer.slice(0, bytesRead);
      } catch (error) {
        this.#refuse(error, again++);
      }
    }
  }

  *#records(byteLength: number): Generator<Uint8Array> {
    if (!Number.isInteger(byteLength) || byteLength < 1)
      throw new RangeError(`a record has 1 byte or more, not ${byteLength}`);
    let rest = new Uint8Array(0);
    for (const chunk of this.chunks()) {
      const bytes = new Uint8Array(rest.byteLength + chunk.byteLength);
      bytes.set(rest);
      bytes.set(chunk, rest.byteLength);
      const whole = bytes.byteLength - (bytes.byteLength % byteLength);
      for (let at = 0; at < whole; at += byteLength) yield bytes.subarray(at, at + byteLength);
      rest = bytes.subarray(whole);
    }
    if (rest.byteLength > 0)
      throw new ProgramError(
        'RECORD_SPLIT',
        `the output ends with ${rest.byteLength} bytes of a record of ${byteLength}`,
      );
  }

  #read(buffer: Uint8Array): number {
    for (let again = 0; ; again++) {
      try {
        return readSync(this.fd, buffer);
      } catch (error) {
        this.#refuse(error, again);
      }
    }
  }

  /** Throws, unless it is worth to read again. */
  #refuse(error: unknown, again: number): void {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN' && again < MAX_AGAIN) return;
    const name = this.program.spec.name;
    if (code === 'EAGAIN')
      throw new ProgramError(
        'RESTARTED',
        `iterator '${name}' does not get on: returning 1 restarts the same element, return 0`,
        error,
      );
    if (code === 'E2BIG')
      throw new ProgramError(
        'ELEMENT_TOO_LARGE',
        `iterator '${name}' wrote more for one element than the kernel's buffer of 32 KiB`,
        error,
      );
    throw error;
  }

  /** Ends the pass, detaches and unloads. A second close does nothing. */
  close(): void {
    this.#iter.close();
    this.link.close();
    this.program.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Loads an iterator program, attaches it and opens a pass.
 *
 * @throws as `loadProgram` and `attach`; what was made until then is released
 * @example
 * ```ts
 * using tasks = openIterator(makeIterInfo('pids', 'task', instructions));
 * for (const record of tasks.records(4)) console.log(new DataView(record.buffer, record.byteOffset).getInt32(0, true));
 * ```
 */
export function openIterator(spec: ProgramSpec, options: LoadOptions & AttachOptions = {}): BpfIterator {
  const { iterInfo } = options;
  const made: { close(): void }[] = [];
  try {
    const program = loadProgram(spec, options);
    made.push(program);
    const link = attach(program, iterInfo ? { iterInfo } : {});
    made.push(link);
    return new BpfIterator(program, link, iterCreate(link));
  } catch (error) {
    for (const owner of made.reverse()) owner.close();
    throw error;
  }
}
