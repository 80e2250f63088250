// Looks a key up in a map, from within a program, and does something else when it is not there.
//
//   npm run example map-lookup
import { u32, u64 } from '@bpf/btf/data';
import { mapLookup } from '@bpf/dsl-maps';
import { exit, jeq, label, ldx, mov, type Program, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram, runProgram } from '@bpf/programs';

const key = -4; // u32 in the stack

const find = (wanted: number): Program => [
  st('w', 'r10', key, wanted),
  mapLookup('prices', key), // r0 = the address of the value, or NULL, which must be checked
  jeq('r0', 0, 'not found'),
  [ldx('dw', 'r0', 'r0', 0), exit()],
  label('not found'),
  [mov('r0', -1), exit()],
];

using prices = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 8 });
prices.set(7, 250n);
for (const wanted of [7, 8]) {
  using program = loadProgram(
    { name: 'find', type: 'socket_filter', instructions: find(wanted) },
    { maps: { prices } },
  );
  const price = runProgram(program, { data: new Uint8Array(14) }).retval | 0;
  console.log(`${wanted}: ${price < 0 ? 'not found' : price}`);
}
