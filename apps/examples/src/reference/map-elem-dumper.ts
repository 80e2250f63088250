// Fills a hash map and has a program go through its elements: keys of 4 bytes, values of 8.
//
//   npm run example map-elem-dumper
import { struct, u32, u64 } from '@bpf/btf/data';
import { iterProgram, loadOrExit, seqWrite } from '@bpf/dsl-iter';
import { createMap } from '@bpf/maps';
import { openIterator } from '@bpf/programs';

using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 8 });
for (const key of [1, 2, 3]) map.set(key, BigInt(key) ** 10n);

const Element = struct({ key: u32, value: u64 }, { packed: true }); // one write behind the other, without a gap
const dumper = iterProgram('bpf_map_elem', 'elem_dumper', (ctx) => [
  loadOrExit(ctx, 'r7', 'key'),
  loadOrExit(ctx, 'r8', 'value'), // each may be NULL, and the verifier wants both checked
  seqWrite(ctx, 'r7', 4),
  seqWrite(ctx, 'r8', 8),
]);

using elements = openIterator(dumper, { iterInfo: { map } });
for (const { key, value } of elements.records(Element)) console.log(`${key}: ${value}`);
