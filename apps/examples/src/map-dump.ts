// Dumps a map: the bytes of each key and value, by the map's id:
//
//   npm run example map-dump ID
//
// The kernel goes through the map by itself, which takes one system call for many entries.
import { iterProgram, loadOrExit, seqWrite } from '@bpf/dsl-iter';
import { openIterator } from '@bpf/programs';
import { mapGetFdById } from '@bpf/sys';

using map = mapGetFdById(Number(process.argv[2]));
const { keySize, valueSize } = map.info;

const dump = iterProgram('bpf_map_elem', 'map_dump', (ctx) => [
  loadOrExit(ctx, 'r7', 'key'),
  loadOrExit(ctx, 'r8', 'value'),
  seqWrite(ctx, 'r7', keySize), // checked against the map's own sizes when the iterator is attached to it
  seqWrite(ctx, 'r8', valueSize),
]);

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

using elements = openIterator(dump, { iterInfo: { map } });
for (const element of elements.records(keySize + valueSize))
  console.log(`key: ${hex(element.subarray(0, keySize))}  value: ${hex(element.subarray(keySize))}`);
