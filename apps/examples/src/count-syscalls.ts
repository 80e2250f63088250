// Counts system calls by number for a while, of all processes or of one:
//
//   npm run example count-syscalls [PID] [SECONDS]
//
// A raw tracepoint program counts in a hash map, which is read when the time is over.
import { setTimeout } from 'node:timers/promises';
import { u32, u64 } from '@bpf/btf/data';
import { filterByPid } from '@bpf/dsl';
import { mapIncrement } from '@bpf/dsl-maps';
import { exit, label, ldx, mov, type Program, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, loadProgram } from '@bpf/programs';

const [pid = 0, seconds = 1] = process.argv.slice(2).map(Number);
const [number, one] = [-4, -16]; // u32 and u64 in the stack

// sys_enter(struct pt_regs *regs, long id): its arguments are an array of u64 that r1 points to.
const countSyscalls: Program = [
  ldx('dw', 'r6', 'r1', 8),
  pid ? filterByPid(pid, 'out') : [],
  stx('w', 'r10', 'r6', number),
  mapIncrement('counts', number, one), // an atomic addition, or the first count
  label('out'),
  [mov('r0', 0), exit()],
];

using counts = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 1024 });
using program = loadProgram(
  { name: 'count_syscalls', type: 'raw_tracepoint', attachTo: 'sys_enter', instructions: countSyscalls },
  { maps: { counts } },
);
using _ = attach(program);
console.log(`Counting system calls for ${seconds} s …`);
await setTimeout(seconds * 1000);

for (const [number, count] of [...counts].sort(([, a], [, b]) => Number(b - a)))
  console.log(`${String(number).padStart(6)} ${count}`);
