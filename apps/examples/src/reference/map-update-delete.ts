// Writes and deletes in a map, from within a program, with all that the flags allow or forbid.
//
//   npm run example map-update-delete
import { u32, u64 } from '@bpf/btf/data';
import { BPF_ANY, BPF_EXIST, BPF_NOEXIST, mapDelete, mapUpdate } from '@bpf/dsl-maps';
import { exit, type Program, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram, runProgram } from '@bpf/programs';
import { errnoName } from '@bpf/sys';

const [key, value] = [-16, -32]; // u32 and u64 in the stack
const KEY = 1;
const update = (number: number, flags: number): Program => [
  st('dw', 'r10', value, number),
  mapUpdate('map', key, value, flags),
];
const steps: Readonly<Record<string, Program>> = {
  'update, if it is there': update(10, BPF_EXIST),
  'update, if it is not there': update(20, BPF_NOEXIST),
  'the same again': update(30, BPF_NOEXIST),
  'update in any case': update(40, BPF_ANY),
  delete: mapDelete('map', key),
  'delete again': mapDelete('map', key),
};

using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 4 });
for (const [what, step] of Object.entries(steps)) {
  const instructions = [st('w', 'r10', key, KEY), step, exit()]; // r0 = 0, or a negative errno
  using program = loadProgram({ name: 'step', type: 'socket_filter', instructions }, { maps: { map } });
  const result = runProgram(program, { data: new Uint8Array(14) }).retval | 0;
  console.log(`${what}: ${result < 0 ? errnoName(-result) : 'done'}, value ${map.get(KEY) ?? 'none'}`);
}
