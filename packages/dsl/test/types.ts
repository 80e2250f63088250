import { type Btf, parseBtf } from '@bpf/btf';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';

const types: BtfTypeData[] = [];
const int = (name: string, size: number, encoding: 'signed' | 'unsigned'): number =>
  types.push({ kind: 'int', name, size, bits: size * 8, bitOffset: 0, encoding });
const pointerTo = (typeId: number): number => types.push({ kind: 'ptr', name: '', typeId });
const member = (name: string, typeId: number, byte: number, bitSize = 0, bit = 0) => ({
  name,
  typeId,
  bitOffset: byte * 8 + bit,
  bitSize,
});
const INT = int('int', 4, 'signed');
const UINT = int('unsigned int', 4, 'unsigned');
const LONG = int('long', 8, 'signed');
const CHAR = int('char', 1, 'signed');
const COMM = types.push({ kind: 'array', name: '', typeId: CHAR, indexTypeId: UINT, length: 16 });
const TEXT = pointerTo(CHAR);
const TASK = types.length + 2; // after the pointer to it
const PARENT = pointerTo(TASK);
types.push({
  kind: 'struct',
  name: 'task_struct',
  size: 64,
  members: [
    member('state', LONG, 0),
    member('flags', UINT, 8),
    member('pid', INT, 12),
    member('tgid', INT, 16),
    member('low', UINT, 20, 3, 2),
    member('signed_low', INT, 24, 5),
    member('across', UINT, 28, 4, 6),
    member('wide', UINT, 29, 17, 4),
    member('parent', PARENT, 32),
    member('comm', COMM, 40),
    member('text', TEXT, 56),
  ],
});

/** Types with a task_struct that has fields of every kind. */
export const btf: Btf = parseBtf(encodeBtf(types));
/** Its id. */
export const taskId: number = TASK;
