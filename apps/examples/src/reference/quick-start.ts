// A first iterator: prints a line for each task.
//
//   npm run example quick-start
import { readField, structPtr } from '@bpf/dsl';
import { iterProgram, loadOrExit, seqPrintf } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';

const tasks = iterProgram('task', 'quick_start', (ctx) => [
  loadOrExit(ctx, 'r7', 'task'), // the kernel calls once more after the last task, with NULL
  readField(structPtr(kernelBtf(), 'task_struct', 'r7'), 'r8', 'tgid'),
  readField(structPtr(kernelBtf(), 'task_struct', 'r7'), 'r9', 'pid'),
  seqPrintf(ctx, 'process %d, thread %d\n', ['r8', 'r9'], -48),
]);

using pass = openIterator(tasks); // loads, attaches and opens it; the end of the scope undoes all of that
for (const line of new TextDecoder().decode(pass.read()).trim().split('\n')) console.log(line);
