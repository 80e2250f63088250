import { callHelper, checkStack, DslError, type Memory, type StructPtr } from '@bpf/dsl';
import { type Program, type Register, st, stx } from '@bpf/insn';
import { iterHelperIds } from './helpers.ts';
import { type Meta, seqOf } from './meta.ts';

/**
 * Emits `bpf_seq_write(meta->seq, data, len)`: appends bytes to what the reader of the iterator gets. r0 is 0, or
 * negative when the buffer is full, and then the kernel calls the program again for this element. Clobbers r0 to r5.
 * Linux 5.8 and newer.
 *
 * @param data the bytes: a register that points to them, or their negative offset in the stack
 * @param len bytes: a number, or a register that the verifier knows the bounds of
 * @throws DslError `STACK_RANGE`; `REGISTER_CLOBBERED` for operands that stand in each other's way
 * @example
 * ```ts
 * [stx('w', 'r10', 'r8', -4), seqWrite(ctx, -4, 4)] // one u32
 * ```
 */
export function seqWrite(meta: Meta, data: Memory, len: Register | number): Program {
  return callHelper('seqWrite', iterHelperIds.seq_write, [seqOf(meta), { memory: data, bytes: len }, len]);
}

const MAX_ARGUMENTS = 12;

/**
 * Emits `bpf_seq_printf(meta->seq, format, sizeof(format), args, sizeof(args))`: appends text. The format, with its NUL,
 * and the arguments, as an array of u64, are put into the stack at `at`, from there on upwards; the error says how many
 * bytes when they do not fit. `%s` takes the address of a string in the kernel; it knows no `*`, and `%%` is a percent
 * sign. r0 is 0 or negative. Clobbers r0 to r5. Linux 5.8.
 *
 * @param args one for each `%`, at most 12
 * @param at a negative multiple of 8
 * @throws DslError `FORMAT` for a text that the kernel would refuse at run time, `STACK_RANGE`
 * @example
 * ```ts
 * [readField(task, 'r8', 'pid'), seqPrintf(ctx, 'pid %d\n', ['r8'], -32)]
 * ```
 */
export function seqPrintf(meta: Meta, format: string, args: readonly (Register | number)[], at: number): Program {
  checkFormat(format, args.length);
  const formatBytes = format.length + 1;
  const data = at + Math.ceil(formatBytes / 8) * 8;
  checkStack('seqPrintf', at, data - at + args.length * 8, 8);
  return [
    // First, while r1 to r5 still hold what they may hold.
    args.map((arg, i) =>
      typeof arg === 'string' ? stx('dw', 'r10', arg, data + i * 8) : st('dw', 'r10', data + i * 8, arg),
    ),
    words(format).map((word, i) => st('w', 'r10', at + i * 4, word)),
    callHelper('seqPrintf', iterHelperIds.seq_printf, [
      seqOf(meta),
      { memory: at },
      formatBytes,
      args.length > 0 ? { memory: data } : 0,
      args.length * 8,
    ]),
  ];
}

function checkFormat(format: string, args: number): void {
  const refuse = (why: string): never => {
    throw new DslError('FORMAT', `seqPrintf: ${JSON.stringify(format)} ${why}`);
  };
  const wanted = format.replaceAll('%%', '').split('%').length - 1;
  if (wanted !== args) refuse(`wants ${wanted} arguments and gets ${args}`);
  if (args > MAX_ARGUMENTS) refuse(`has ${args} arguments, more than the kernel's ${MAX_ARGUMENTS}`);
  if (/[^\x20-\x7e\t\n\v\f\r]/.test(format)) refuse('holds a character that is not printable ASCII');
}

/** Its characters and at least one NUL, as the words of a little-endian machine. */
function words(text: string): number[] {
  const words = new Array<number>(Math.floor(text.length / 4) + 1).fill(0);
  for (let i = 0; i < text.length; i++) words[i >> 2] = (words[i >> 2] ?? 0) | (text.charCodeAt(i) << ((i & 3) * 8));
  return words;
}

const PTR_BYTES = 16;

/** What {@link seqPrintfBtf} leaves out or puts in. */
export const seqPrintfBtfFlags = { compact: 1, noname: 2, ptr_raw: 4, zero: 8 } as const;

/**
 * Emits `bpf_seq_printf_btf(meta->seq, &{ptr, type_id}, 16, flags)`: appends a struct as the kernel prints it, every
 * field with its name. The 16 bytes of its `struct btf_ptr` are put into the stack at `at`. r0 is 0 or negative. A large
 * struct may not fit: what one element writes is limited to 32 KiB. Clobbers r0 to r5. Linux 5.10.
 *
 * @param at a negative multiple of 8
 * @param flags without blanks (`compact`) or names (`noname`), with addresses as they are (`ptr_raw`), with fields that
 *   are 0 (`zero`)
 * @throws DslError `STACK_RANGE`, `UNKNOWN_FIELD` when the types have no such struct
 * @example
 * ```ts
 * [loadOrExit(ctx, 'r7', 'map'), seqPrintfBtf(ctx, structPtr(btf, 'bpf_map', 'r7'), -16)]
 * ```
 */
export function seqPrintfBtf(
  meta: Meta,
  ptr: StructPtr,
  at: number,
  flags: readonly (keyof typeof seqPrintfBtfFlags)[] = [],
): Program {
  checkStack('seqPrintfBtf', at, PTR_BYTES, 8);
  const typeId = typeof ptr.struct === 'number' ? ptr.struct : ptr.types.find('struct', ptr.struct);
  if (typeId === undefined) throw new DslError('UNKNOWN_FIELD', `there is no struct '${ptr.struct}' in these types`);
  return [
    stx('dw', 'r10', ptr.reg, at),
    st('w', 'r10', at + 8, typeId),
    st('w', 'r10', at + 12, 0),
    callHelper('seqPrintfBtf', iterHelperIds.seq_printf_btf, [
      seqOf(meta),
      { memory: at },
      PTR_BYTES,
      flags.reduce((bits, flag) => bits | seqPrintfBtfFlags[flag], 0),
    ]),
  ];
}
