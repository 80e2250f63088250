import { add, call, ldx, mov, type Program, type Register } from '@bpf/insn';
import { IterError } from './error.ts';
import { metaFields } from './targets.ts';

const BPF_FUNC_seq_write = 127;

/**
 * Emits `bpf_seq_write(meta->seq, data, len)`: appends bytes to what the reader of the iterator gets. r0 is 0, or
 * negative when the buffer is full, and then the kernel calls the program again for this element. Clobbers r0 to r5.
 * Linux 5.8 and newer.
 *
 * @param data the bytes: a register that points to them, or their negative offset in the stack
 * @param len bytes: a number, or a register that the verifier knows the bounds of
 * @throws IterError `REGISTER_CLOBBERED` for an operand in a register that is overwritten before it is read
 * @example
 * ```ts
 * [stx('w', 'r10', 'r8', -4), seqWrite('r9', -4, 4)] // one u32
 * ```
 */
export function seqWrite(meta: Register, data: Register | number, len: Register | number): Program {
  survive('data', data, ['r1']);
  survive('len', len, ['r1', 'r2']);
  return [
    ldx('dw', 'r1', meta, metaFields.seq),
    ...(typeof data === 'number' ? [mov('r2', 'r10'), add('r2', data)] : [mov('r2', data)]),
    mov('r3', len),
    call(BPF_FUNC_seq_write),
  ];
}

function survive(what: string, operand: Register | number, overwritten: readonly Register[]): void {
  if (typeof operand === 'number' || !overwritten.includes(operand)) return;
  throw new IterError(
    'REGISTER_CLOBBERED',
    `seqWrite overwrites ${operand} before it reads ${what} from it: keep it in r6 to r9`,
  );
}
