// Keys and values where registers point to: follows an order to its product, and moves the product to another map.
//
//   npm run example map-pointers
import { u32, u64 } from '@bpf/btf/data';
import { BPF_ANY, mapDeletePtr, mapLookup, mapLookupPtr, mapUpdatePtr } from '@bpf/dsl-maps';
import { exit, jeq, label, mov, type Program, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram, runProgram } from '@bpf/programs';

const order = -4; // u32 in the stack

const sell: Program = [
  st('w', 'r10', order, 1001),
  mapLookup('orders', order),
  jeq('r0', 0, 'out'),
  mov('r6', 'r0'), // what the map holds is the key of another: no copy of it is needed
  mapLookupPtr('stock', 'r6'),
  jeq('r0', 0, 'out'),
  mov('r7', 'r0'),
  mapUpdatePtr('sold', 'r6', 'r7', BPF_ANY),
  mapDeletePtr('stock', 'r6'),
  label('out'),
  [mov('r0', 0), exit()],
];

using orders = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 8 });
using stock = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 8 });
using sold = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 8 });
orders.set(1001, 5);
for (const product of [4, 5, 6]) stock.set(product, BigInt(product * 100));

using program = loadProgram(
  { name: 'sell', type: 'socket_filter', instructions: sell },
  { maps: { orders, stock, sold } },
);
runProgram(program, { data: new Uint8Array(14) });
const list = (map: Iterable<[number, bigint]>): string =>
  Array.from(map, ([product, price]) => `${product} for ${price}`)
    .sort()
    .join(', ');
console.log(`stock: ${list(stock)}`);
console.log(`sold: ${list(sold)}`);
