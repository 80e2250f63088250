// Lists the BPF programs that the kernel holds, as `bpftool prog list` does:
//
//   npm run example prog-list
import { char, struct, u32 } from '@bpf/btf/data';
import { copyFields, stackRecord, structPtr } from '@bpf/dsl';
import { iterProgram, loadOrExit, writeRecord } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';

const btf = kernelBtf();
const Prog = struct({ id: u32, type: u32, name: char(16) });
const row = stackRecord(Prog, -24);

const list = iterProgram('bpf_prog', 'prog_list', (ctx) => [
  loadOrExit(ctx, 'r7', 'prog'),
  copyFields(structPtr(btf, 'bpf_prog', 'r7'), row, { id: 'aux.id', type: 'type', name: 'aux.name' }),
  writeRecord(ctx, row),
]);

// The kernel's own names for the types: BPF_PROG_TYPE_SOCKET_FILTER is 1, and so on.
const types = btf.type(btf.find('enum', 'bpf_prog_type') ?? 0);
const names = new Map(types.kind === 'enum' ? types.values.map(({ name, value }) => [value, name]) : []);
const nameOf = (type: number): string => names.get(type)?.replace('BPF_PROG_TYPE_', '').toLowerCase() ?? `type ${type}`;

using programs = openIterator(list);
for (const { id, type, name } of programs.records(Prog)) {
  console.log(`${id}: ${nameOf(type)}${name && `  name ${name}`}`);
}
