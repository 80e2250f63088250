// Counts packets and their bytes in a per-CPU array, where each CPU has counters of its own, and adds them up.
//
//   npm run example packet-counter
import { u64 } from '@bpf/btf/data';
import { mapIncrement } from '@bpf/dsl-maps';
import { exit, ldx, mov, type Program, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram, runProgram } from '@bpf/programs';

const [key, room] = [-8, -16]; // u32 and u64 in the stack
const [PACKETS, BYTES] = [0, 1];

const count: Program = [
  ldx('w', 'r6', 'r1', 0), // __sk_buff: len
  st('w', 'r10', key, PACKETS),
  mapIncrement('counters', key, room), // by 1
  st('w', 'r10', key, BYTES),
  mapIncrement('counters', key, room, 'r6'),
  mov('r0', 0),
  exit(),
];

using counters = createMap({ type: 'percpu_array', value: u64, maxEntries: 2 });
using program = loadProgram({ name: 'count', type: 'socket_filter', instructions: count }, { maps: { counters } });
// Run so, such a program gets the packet without its Ethernet header of 14 bytes.
for (const length of [34, 64, 114]) runProgram(program, { data: new Uint8Array(length), repeat: 10 });

const total = (index: number): bigint => counters.get(index).reduce((sum, ofCpu) => sum + ofCpu, 0n);
console.log(`${total(PACKETS)} packets, ${total(BYTES)} bytes`);
