// Lists the maps that the kernel holds.
//
//   npm run example map-lister
import { char, struct, u32 } from '@bpf/btf/data';
import { copyFields, stackRecord, structPtr } from '@bpf/dsl';
import { iterProgram, loadOrExit, writeRecord } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';

const BpfMap = struct({ id: u32, keySize: u32, valueSize: u32, maxEntries: u32, name: char(16) });
const row = stackRecord(BpfMap, -32);

const lister = iterProgram('bpf_map', 'map_lister', (ctx) => [
  loadOrExit(ctx, 'r7', 'map'),
  copyFields(structPtr(kernelBtf(), 'bpf_map', 'r7'), row, {
    id: 'id',
    keySize: 'key_size',
    valueSize: 'value_size',
    maxEntries: 'max_entries',
    name: 'name',
  }),
  writeRecord(ctx, row),
]);

using maps = openIterator(lister);
for (const { id, name, keySize, valueSize, maxEntries } of maps.records(BpfMap))
  console.log(`${id}: ${name}  key ${keySize}B  value ${valueSize}B  max_entries ${maxEntries}`);
