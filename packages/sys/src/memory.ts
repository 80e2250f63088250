import { getLibc } from './libc.ts';

/** The byte order of the kernel's structures on every architecture of `BPF_SYSCALL`. */
export const LE = true;

/**
 * Memory that neither the garbage collector nor anything else moves: what the kernel is given the address of.
 * Freed only by {@link free}; nothing may be read or written through it afterwards.
 */
export interface NativeMemory {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Allocates zeroed memory. */
export function alloc(byteLength: number): NativeMemory {
  const { koffi } = getLibc();
  const address = koffi.alloc('uint8_t', Math.max(byteLength, 1)) as bigint;
  const bytes = new Uint8Array(koffi.view(address, Math.max(byteLength, 1)), 0, byteLength).fill(0);
  return { address, bytes, view: new DataView(bytes.buffer, 0, byteLength) };
}

export function free(memory: NativeMemory): void {
  getLibc().koffi.free(memory.address);
}

/** Memory for one system call. */
export interface Scope {
  /** Zeroed memory for the kernel to read or fill. */
  alloc(byteLength: number): NativeMemory;
  /** The address of a copy of these bytes. */
  copy(bytes: Uint8Array): bigint;
  /** The address of a copy of this text in UTF-8, with its NUL. */
  cString(text: string): bigint;
}

/** Runs `fn` with a scope whose memory lives until `fn` returns or throws. */
export function withScope<T>(fn: (scope: Scope) => T): T {
  const held: NativeMemory[] = [];
  const scope: Scope = {
    alloc(byteLength) {
      const memory = alloc(byteLength);
      held.push(memory);
      return memory;
    },
    copy(bytes) {
      const memory = scope.alloc(bytes.byteLength);
      memory.bytes.set(bytes);
      return memory.address;
    },
    cString: (text) => scope.copy(new TextEncoder().encode(`${text}\0`)),
  };
  try {
    return fn(scope);
  } finally {
    for (const memory of held) free(memory);
  }
}
