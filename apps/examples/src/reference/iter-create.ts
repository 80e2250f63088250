// An iterator by the system calls behind it: load, link, a descriptor for each pass, read until it is empty.
//
//   npm run example iter-create
import { s32 } from '@bpf/btf/data';
import { buildIterProgram, iteratorTypes, iterContext, loadOrExit, seqWrite, taskLoadTgid } from '@bpf/dsl-iter';
import { assemble, stx } from '@bpf/insn';
import { kernelBtf } from '@bpf/programs';
import { fileRead, iterCreate, linkCreate, progLoad } from '@bpf/sys';

const ctx = iterContext('task', 'r6');
const body = [
  loadOrExit(ctx, 'r7', 'task'),
  taskLoadTgid(kernelBtf(), 'r7', 'r8'),
  [stx('w', 'r10', 'r8', -4), seqWrite(ctx, -4, 4)],
];
const prog = progLoad({
  type: 'tracing',
  expectedAttachType: 'trace_iter',
  // The function of this name, and not the struct of the context, which has one more underscore.
  attachBtfId: kernelBtf().find('func', iteratorTypes.task.attachFunc) ?? 0,
  insns: assemble(buildIterProgram({ ctx, body })),
  license: 'GPL',
  name: 'my_iterator',
});
const link = linkCreate({ prog, attachType: 'trace_iter' });
for (const pass of ['first', 'second']) {
  const iter = iterCreate(link);
  let bytes = 0;
  for (let chunk = fileRead(iter, 4096); chunk.length > 0; chunk = fileRead(iter, 4096)) bytes += chunk.length;
  console.log(`${pass} pass: ${bytes / s32.size} tasks`);
  iter.close();
}
link.close();
prog.close();
