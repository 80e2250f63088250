// Counts system calls by number for a while, of all processes or of one:
//
//   npm run example count-syscalls [PID] [SECONDS]
//
// A raw tracepoint program counts in a hash map, which is read when the time is over.
import { setTimeout } from 'node:timers/promises';
import { BPF_NOEXIST, mapLookup, mapUpdate } from '@bpf/dsl-maps';
import { atomicAdd, call, exit, jeq, jne, label, ldx, mov, type Program, rsh, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, loadProgram } from '@bpf/programs';

const [pid = 0, seconds = 1] = process.argv.slice(2).map(Number);

const BPF_FUNC_get_current_pid_tgid = 14;
const key = -4; // u32: the number of the system call
const one = -16; // u64: the first count

// sys_enter(struct pt_regs *regs, long id): its arguments are an array of u64 that r1 points to.
const countSyscalls: Program = [
  mov('r6', 'r1'),
  call(BPF_FUNC_get_current_pid_tgid),
  rsh('r0', 32), // the upper half is what user space calls the PID
  pid ? jne('r0', pid, 'out') : [],
  ldx('dw', 'r1', 'r6', 8),
  stx('w', 'r10', 'r1', key),
  mapLookup('counts', key),
  jne('r0', 0, 'found'),
  // Not there: create it with 1. If another processor was faster, add to what it created.
  st('dw', 'r10', one, 1),
  mapUpdate('counts', key, one, BPF_NOEXIST),
  jeq('r0', 0, 'out'),
  mapLookup('counts', key),
  jeq('r0', 0, 'out'),
  label('found'),
  mov('r1', 1),
  atomicAdd('dw', 'r0', 'r1', 0),
  label('out'),
  mov('r0', 0),
  exit(),
];

using counts = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1024, name: 'counts' });
using program = loadProgram(
  { name: 'count_syscalls', type: 'raw_tracepoint', attachTo: 'sys_enter', instructions: countSyscalls },
  { maps: { counts } },
);
using _ = attach(program);
console.log(`Counting system calls for ${seconds} s …`);
await setTimeout(seconds * 1000);

const rows = [...counts].map(([number, count]) => ({
  number: new DataView(number.buffer).getUint32(0, true),
  count: new DataView(count.buffer).getBigUint64(0, true),
}));
rows.sort((a, b) => Number(b.count - a.count));
for (const { number, count } of rows) console.log(`${String(number).padStart(6)} ${count}`);
