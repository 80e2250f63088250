// Counts packets by the protocol in their IPv4 header: looks a counter up, and makes it where there is none yet.
//
//   npm run example lookup-or-init
import { u32, u64 } from '@bpf/btf/data';
import { mapLookupOrInit } from '@bpf/dsl-maps';
import { atomicAdd, exit, jeq, label, ldAbs, mov, type Program, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram, runProgram } from '@bpf/programs';

const [key, initial] = [-16, -32]; // u32 and u64 in the stack
const protocol = 9; // in the IPv4 header, which is where a socket filter's packet starts when it is run so

const count: Program = [
  mov('r6', 'r1'),
  ldAbs('b', protocol), // r0 = that byte of the packet
  stx('w', 'r10', 'r0', key),
  st('dw', 'r10', initial, 0),
  mapLookupOrInit('counters', key, initial), // r0 = the address of the counter; NULL when the map is full
  jeq('r0', 0, 'full'),
  [mov('r1', 1), atomicAdd('dw', 'r0', 'r1', 0)],
  label('full'),
  [mov('r0', 0), exit()],
];

function packet(ipProtocol: number): Uint8Array {
  const bytes = new Uint8Array(34);
  bytes[14 + protocol] = ipProtocol;
  return bytes;
}

using counters = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 256 });
using program = loadProgram(
  { name: 'by_protocol', type: 'socket_filter', instructions: count },
  { maps: { counters } },
);
for (const [ipProtocol, times] of Object.entries({ 1: 2, 6: 5, 17: 3 }))
  runProgram(program, { data: packet(Number(ipProtocol)), repeat: times });
for (const [ipProtocol, packets] of [...counters].sort(([a], [b]) => a - b))
  console.log(`protocol ${ipProtocol}: ${packets} packets`);
