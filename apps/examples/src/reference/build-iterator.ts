// Puts an iterator together from its parts, and shows it: its section, as libbpf knows it, and its instructions.
//
//   npm run example build-iterator
import { buildIterProgram, checkNull, iterContext, loadCtxPtr, makeIterInfo } from '@bpf/dsl-iter';
import { exit, label, mov } from '@bpf/insn';
import { format } from '@bpf/insn/text';
import { loadProgram } from '@bpf/programs';

const ctx = iterContext('task', 'r6');
const instructions = buildIterProgram({
  ctx,
  meta: 'r8',
  body: [loadCtxPtr(ctx, 'r7', 'task'), checkNull('r7', 'last'), mov('r0', 0), exit(), label('last')],
  action: 'continue', // how it ends where the body does not
});
const built = makeIterInfo('built', 'task', instructions);

loadProgram(built).close(); // the verifier has seen it
console.log(built.section);
console.log(format(instructions));
