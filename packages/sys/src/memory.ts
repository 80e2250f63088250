import { checkBytes } from './check.ts';
import { getLibc } from './libc.ts';

/** The byte order of the kernel's structures on every architecture that is supported. */
export const LE = true;

/** Memory that neither the garbage collector nor anything else moves: what the kernel is given the address of. */
export interface NativeMemory {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Blocks up to here are kept when they are freed, for the next of their length, a power of two. */
const KEPT_BYTES = 64 * 1024;
const SMALLEST_BYTES = 256;
const kept = new Map<number, { readonly address: number; readonly buffer: ArrayBuffer }[]>();

/**
 * Allocates zeroed memory, which {@link free} frees: nothing may be read or written through it afterwards.
 *
 * Short blocks are used again, because koffi makes a view of memory in the time of a system call, and ends the whole process
 * when it is to make one in a Worker that is just being terminated (seen with koffi 3.3.4).
 */
export function alloc(byteLength: number): NativeMemory {
  checkLength(byteLength);
  const length =
    byteLength > KEPT_BYTES ? byteLength : Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(Math.max(byteLength, 1))));
  const { address, buffer } = kept.get(length)?.pop() ?? newBlock(length);
  const bytes = new Uint8Array(buffer, 0, byteLength).fill(0);
  return { address, bytes, view: new DataView(buffer, 0, byteLength) };
}

function newBlock(length: number): { address: number; buffer: ArrayBuffer } {
  const { koffi } = getLibc();
  const pointer = koffi.alloc('uint8_t', length) as bigint;
  return { address: Number(pointer), buffer: koffi.view(pointer, length) };
}

export function free({ address, view }: NativeMemory): void {
  const buffer = view.buffer as ArrayBuffer;
  const length = buffer.byteLength;
  if (length > KEPT_BYTES) {
    getLibc().koffi.free(BigInt(address));
    return;
  }
  const blocks = kept.get(length);
  if (blocks) blocks.push({ address, buffer });
  else kept.set(length, [{ address, buffer }]);
}

/** Memory for one system call. It lives until the innermost scope that is open ends, whichever one it was asked of. */
export interface Scope {
  /** Zeroed memory for the kernel to read or fill, at a multiple of 8. */
  alloc(byteLength: number): NativeMemory;
  /** The address of a copy of these bytes: a Uint8Array, or a Buffer. */
  copy(bytes: Uint8Array): number;
  /** The address of a copy of this text in UTF-8, with its NUL: a text that has one in it is a RangeError. */
  cString(text: string): number;
}

/**
 * What most calls need, allocated once: a view of native memory costs as much as a system call, and ends the process when
 * koffi is to make one in a Worker that is being terminated. When it was too small for a call, there is a larger one for
 * the next; it is not freed, because views of it may still be around.
 */
let arenaBytes = 64 * 1024;
const MAX_ARENA_BYTES = 1024 * 1024;
let arena: NativeMemory | undefined;
let used = 0;
/** How many bytes did not fit since the outermost scope was opened. */
let missed = 0;
/** How many scopes are open. */
let depth = 0;
/** Of the open scopes, what did not fit. */
const large: NativeMemory[] = [];
const encoder = new TextEncoder();

const scope: Scope = {
  alloc(byteLength) {
    const at = take(byteLength);
    if (at < 0) return allocLarge(byteLength);
    const { address, bytes } = openArena();
    const part = bytes.subarray(at, at + byteLength).fill(0);
    return { address: address + at, bytes: part, view: new DataView(part.buffer, at, byteLength) };
  },
  copy(source) {
    checkBytes('what is copied', source);
    const at = take(source.byteLength);
    const { address, bytes } = at < 0 ? allocLarge(source.byteLength) : openArena();
    bytes.set(source, Math.max(at, 0));
    return address + Math.max(at, 0);
  },
  cString(text) {
    if (text.includes('\0'))
      throw new RangeError(`${JSON.stringify(text)} has a NUL in it, where the kernel would end it`);
    // A UTF-16 unit has at most three bytes, and a NUL one.
    const at = take(text.length * 3 + 1);
    if (at < 0) return scope.copy(encoder.encode(`${text}\0`));
    const { address, bytes } = openArena();
    const { written } = encoder.encodeInto(text, bytes.subarray(at, used));
    bytes[at + written] = 0;
    return address + at;
  },
};

/** Where in the arena so many bytes are, or -1 when they do not fit. */
function take(byteLength: number): number {
  if (depth === 0) throw new TypeError('the scope has ended: its memory lives until its function returns');
  checkLength(byteLength);
  const at = used;
  const length = Math.ceil(byteLength / 8) * 8;
  if (at + length > arenaBytes) {
    missed += length;
    return -1;
  }
  used += length;
  return at;
}

/** Between calls, when nothing of it is in use. */
function growArena(): void {
  const wanted = 2 ** Math.ceil(Math.log2(arenaBytes + missed));
  missed = 0;
  if (wanted > MAX_ARENA_BYTES) return;
  arenaBytes = wanted;
  arena = undefined;
}

function openArena(): NativeMemory {
  arena ??= alloc(arenaBytes);
  return arena;
}

function allocLarge(byteLength: number): NativeMemory {
  const memory = alloc(byteLength);
  large.push(memory);
  return memory;
}

/**
 * Runs `fn` with a scope whose memory lives until `fn` returns or throws. `fn` is synchronous: what is to outlive it is
 * copied out.
 *
 * @throws UnavailableError anywhere but on Linux; what `fn` throws
 * @example
 * ```ts
 * const pid = withScope((scope) => {
 *   const memory = scope.alloc(8);
 *   return memory.view.getUint32(0, true);
 * });
 * ```
 */
export function withScope<T>(fn: (scope: Scope) => T): T {
  const [start, larger] = [used, large.length];
  depth++;
  try {
    const result = fn(scope);
    if (result instanceof Promise)
      throw new TypeError('a scope ends when its function returns: the function cannot be async');
    return result;
  } finally {
    depth--;
    used = start;
    while (large.length > larger) free(large.pop() as NativeMemory);
    if (depth === 0 && missed > 0) growArena();
  }
}

/** What koffi allocates at most. */
const MAX_BYTES = 0x7fff_ffff;

/** koffi would take NaN for 0, and cut a fraction. */
function checkLength(byteLength: number): void {
  if (Number.isInteger(byteLength) && byteLength >= 0 && byteLength <= MAX_BYTES) return;
  throw new RangeError(`a length of ${byteLength} bytes; it must be an integer in 0..${MAX_BYTES}`);
}
