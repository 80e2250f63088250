// Lists tasks until one has this PID, and ends the pass there: that of this process unless told.
//
//   npm run example stop-at-pid [PID]
//
// A program that returns 1 does not end the pass: the kernel runs it on the same task again. It says in a map that this pass
// is over, and leaves the tasks that follow at once.
import { s32 } from '@bpf/btf/data';
import { exitIfStopped, iterProgram, loadOrExit, seqWrite, stopIteration, taskLoadPid } from '@bpf/dsl-iter';
import { jne, label, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf, openIterator } from '@bpf/programs';

const last = Number(process.argv[2] ?? process.pid);
using stop = createMap({ type: 'array', valueSize: 8, maxEntries: 1 }); // holds the number of the pass

const until = iterProgram('task', 'stop_at_pid', (ctx) => [
  exitIfStopped(ctx, 'stop'),
  loadOrExit(ctx, 'r7', 'task'),
  taskLoadPid(kernelBtf(), 'r7', 'r8'),
  [stx('w', 'r10', 'r8', -4), seqWrite(ctx, -4, 4)],
  jne('r8', last, 'go on'),
  stopIteration(ctx, 'stop'),
  label('go on'),
]);

using tasks = openIterator(until, { maps: { stop } });
for (const pid of tasks.records(s32)) console.log(pid);
