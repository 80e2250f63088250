// Lists every thread, without /proc:
//
//   npm run example ps
//
// An iterator program runs once for each task, and writes a record of it.
import { char, s32, struct, u64 } from '@bpf/btf/data';
import { copyFields, stackRecord, structPtr } from '@bpf/dsl';
import { iterProgram, loadOrExit, writeRecord } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';

const btf = kernelBtf();
const Task = struct({ tgid: s32, pid: s32, parent: s32, state: u64, exit: s32, comm: char(16) });
const row = stackRecord(Task, -48);
const state = btf.hasMember('task_struct', '__state') ? '__state' : 'state'; // its name since Linux 5.14

const ps = iterProgram('task', 'ps', (ctx) => [
  loadOrExit(ctx, 'r7', 'task'),
  copyFields(structPtr(btf, 'task_struct', 'r7'), row, {
    tgid: 'tgid', // what user space calls the PID
    pid: 'pid', // the thread
    parent: 'real_parent.tgid',
    state,
    exit: 'exit_state',
    comm: 'comm',
  }),
  writeRecord(ctx, row),
]);

/** The lowest of the bits that /proc shows. */
function letter(state: number): string {
  if ((state & 0x402) === 0x402) return 'I'; // waits without being counted as load
  return [...'SDTtXZP'].find((_, bit) => state & (1 << bit)) ?? 'R';
}

console.log('   PID    TID   PPID S COMM');
using tasks = openIterator(ps);
for (const { tgid, pid, parent, state, exit, comm } of tasks.records(Task)) {
  const numbers = [tgid, pid, parent].map((number) => String(number).padStart(6)).join(' ');
  console.log(numbers, letter(Number(state) | exit), comm);
}
