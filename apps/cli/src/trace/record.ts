import { char, struct, u32, u64 } from '@bpf/btf/data';
import type { Traced } from './plan.ts';
import type { Value } from './value.ts';

/** What every record begins with. `function` is the number of the {@link Traced}. */
export const Header = struct({ time: u64, function: u32, pid: u32, tid: u32, comm: char(16) });
const HEADER_BYTES = Math.ceil(Header.size / 8) * 8;

/** Bytes of a string that are shown. */
export const STRING_BYTES = 255;
/** Bytes of a string that are taken along. The kernel ends what it cuts with a NUL: one more tells it from a string's own. */
export const STRING_ROOM: number = STRING_BYTES + 2;
/** Of a sockaddr, one after the other: what every one has, what one of IPv6 has more, and what one of Unix has more. */
export const SOCKADDR_PARTS: readonly number[] = [16, 12, 82];
/** Where the bytes of what was behind a pointer are: behind the address and what the helper returned. */
export const BYTES_AT = 16;
/** Frames of a stack that are taken along, innermost first. */
export const FRAMES = 48;

/** Where in the record of a function's call each value is. */
export interface Layout {
  readonly values: readonly { readonly value: Value; readonly at: number }[];
  /** Of the stack: how many bytes it has, and then the addresses. */
  readonly stack: number | undefined;
  readonly size: number;
}

/** How the records of a function are laid out: everything at a multiple of 8. */
export function layOut({ values, result }: Traced, withStack: boolean): Layout {
  let size = HEADER_BYTES;
  const place = (bytes: number): number => {
    const at = size;
    size += Math.ceil(bytes / 8) * 8;
    return at;
  };
  const placed = [...values, ...(result ? [result] : [])].map((value) => ({ value, at: place(roomOf(value)) }));
  const stack = withStack ? place(8 + 8 * FRAMES) : undefined;
  return { values: placed, stack, size };
}

function roomOf({ kind, field, arg }: Value): number {
  if (kind === 'string') return BYTES_AT + STRING_ROOM;
  if (kind === 'sockaddr') return BYTES_AT + SOCKADDR_PARTS.reduce((sum, bytes) => sum + bytes, 0);
  return field ? BYTES_AT + field.size : arg.slots * 8;
}
