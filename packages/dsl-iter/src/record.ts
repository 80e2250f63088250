import { type StackRecord, zeroGaps } from '@bpf/dsl';
import type { Program } from '@bpf/insn';
import type { Meta } from './meta.ts';
import { seqWrite } from './output.ts';

/**
 * Emits `bpf_seq_write(meta->seq, record, sizeof(record))`, with zeros between the fields: a record for the reader. r0 and
 * all else as with {@link seqWrite}. Clobbers r0 to r5. Linux 5.8.
 *
 * @example
 * ```ts
 * const row = stackRecord(struct({ pid: s32, comm: char(16) }), -24);
 * [copyFields(structPtr(btf, 'task_struct', 'r7'), row, { pid: 'pid', comm: 'comm' }), writeRecord(ctx, row)]
 * ```
 */
export function writeRecord(meta: Meta, record: StackRecord<string>): Program {
  return [zeroGaps(record), seqWrite(meta, record.at, record.size)];
}
