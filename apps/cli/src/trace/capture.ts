import type { BtfArgument } from '@bpf/btf';
import { block, callHelper, type Operand } from '@bpf/dsl';
import { argOffset } from '@bpf/dsl-fentry';
import { add, ja, jslt, label, ldx, mov, type Program, stx } from '@bpf/insn';
import { BYTES_AT, SOCKADDR_PARTS, STRING_ROOM } from './record.ts';
import type { Value } from './value.ts';

// r6 is the context, r9 the record in the ring buffer, r7 an address.
//
// Nothing is loaded, all is copied by helpers: arguments too, as the verifier lets no program load a pointer to a pointer, and
// what they point to, which may be the process's, gone or nonsense. Whose an address is it tells itself, as it did
// bpf_probe_read(2): on x86-64 and arm64 the kernel has the upper half, which is negative. So there is no need for type tags,
// which most kernels have not.

const PROBE_READ = { user: 112, kernel: 113 } as const;
const PROBE_READ_STR = { user: 114, kernel: 115 } as const;
const POINTER_BYTES = 8;
const LAST_WORD: Operand = { memory: -POINTER_BYTES, bytes: POINTER_BYTES };

/** The address of a place in the record, for a helper. */
export const inRecord = (offset: number): Operand => plus('r9', offset);

const plus = (reg: 'r6' | 'r7' | 'r9', offset: number): Operand => ({
  reg,
  load: (dst) => [mov(dst, reg), offset === 0 ? [] : add(dst, offset)],
});

/** Emits `record[at] = value`, of any kind. Clobbers r0 to r5, r7 and the last 8 bytes of the stack. */
export function capture(value: Value, at: number): Program {
  const { arg, field, kind } = value;
  if (kind === 'bytes' && !field) return copyArgument(inRecord(at), arg);
  const copied =
    kind === 'string' ? copyString(at) : copyParts(at, kind === 'sockaddr' ? SOCKADDR_PARTS : [field?.size ?? 0]);
  return [point(value), stx('dw', 'r9', 'r7', at), copied];
}

/** Emits `r7 = address`: that of the field, or where the string or sockaddr is that the field points to. */
function point({ arg, field, kind, pointer }: Value): Program {
  const start = [copyArgument(LAST_WORD, arg), ldx('dw', 'r7', 'r10', -POINTER_BYTES)];
  if (!field) return start;
  const last = kind !== 'bytes' && pointer ? follow(field.offset) : add('r7', field.offset);
  return [start, field.pointers.map(follow), last];
}

/** Emits `to = argument`, all of its slots. */
function copyArgument(to: Operand, { slot, slots }: BtfArgument): Program {
  return callHelper('probe_read_kernel', PROBE_READ.kernel, [to, slots * 8, plus('r6', argOffset(slot))]);
}

/** Emits `r7 = *(u64 *)(r7 + offset)`, or 0 where nothing is. */
function follow(offset: number): Program {
  return [copy(LAST_WORD, POINTER_BYTES, offset), ldx('dw', 'r7', 'r10', -POINTER_BYTES)];
}

/** Emits `memcpy(to, r7 + offset, bytes)`. r0 is 0, or negative, and then there are zeros. */
function copy(to: Operand, bytes: number, offset: number): Program {
  return byAddress(PROBE_READ, to, bytes, offset);
}

/** Emits the address, what the helper returned, the length with its NUL or a negative errno, and the text. */
function copyString(at: number): Program {
  return [byAddress(PROBE_READ_STR, inRecord(at + BYTES_AT), STRING_ROOM, 0), stx('dw', 'r9', 'r0', at + 8)];
}

/** The same for bytes, in parts: of a sockaddr, not all may be there. What counts is whether the first is. */
function copyParts(at: number, parts: readonly number[]): Program {
  let offset = 0;
  return parts.map((bytes, i) => {
    const part = copy(inRecord(at + BYTES_AT + offset), bytes, offset);
    offset += bytes;
    return [part, i === 0 ? stx('dw', 'r9', 'r0', at + 8) : []];
  });
}

function byAddress(
  helpers: typeof PROBE_READ | typeof PROBE_READ_STR,
  to: Operand,
  bytes: number,
  offset: number,
): Program {
  const from = plus('r7', offset);
  return block([
    jslt('r7', 0, 'kernel'),
    callHelper('probe_read_user', helpers.user, [to, bytes, from]),
    ja('done'),
    label('kernel'),
    callHelper('probe_read_kernel', helpers.kernel, [to, bytes, from]),
    label('done'),
  ]);
}
