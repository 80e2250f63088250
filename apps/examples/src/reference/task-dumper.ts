// Dumps the PID of each task as bytes, step by step: what `iterProgram` and `writeRecord` do in one.
//
//   npm run example task-dumper
import { s32 } from '@bpf/btf/data';
import { allocStackBuffer, probeReadKernel } from '@bpf/dsl';
import {
  checkNullAndExit,
  iterContext,
  loadCtxPtr,
  makeIterInfo,
  prologueWithMeta,
  returnContinue,
  seqWrite,
  taskFieldOffset,
} from '@bpf/dsl-iter';
import { add } from '@bpf/insn';
import { kernelBtf, openIterator } from '@bpf/programs';

const ctx = iterContext('task', 'r6');
const dumper = makeIterInfo('task_dumper', 'task', [
  prologueWithMeta(ctx, 'r8'), // r6 = ctx, r8 = meta
  loadCtxPtr(ctx, 'r7', 'task'),
  checkNullAndExit('r7'),
  allocStackBuffer('r9', -8, 8), // r9 = r10 - 8, zeroed
  add('r7', taskFieldOffset(kernelBtf(), 'pid')), // where this very kernel has it: at 0 is something else
  probeReadKernel('r9', 4, 'r7'),
  seqWrite('r8', 'r9', 4),
  returnContinue(),
]);

using tasks = openIterator(dumper);
for (const pid of tasks.records(s32)) console.log(pid);
