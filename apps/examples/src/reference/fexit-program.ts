// A fexit program from its parts: an argument, and what the function returned, which is in the slot after all of them.
//
//   npm run example fexit-program
//
// The kernel calls bpf_fentry_test2 with (2, 3) when such a program is run; it returns the sum.
import { s32, struct } from '@bpf/btf/data';
import { buildFexitProgram, makeFexitProgramInfo } from '@bpf/dsl-fentry';
import { ldMapValue, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram, runProgram } from '@bpf/programs';

const Seen = struct({ a: s32, result: s32 });
using seen = createMap({ type: 'array', value: Seen, maxEntries: 1 });

const { returns } = kernelBtf().func('bpf_fentry_test2'); // its slot, size and sign
const instructions = buildFexitProgram({
  argSaves: [[0, 'r6']],
  retReg: 'r7',
  returns: returns ?? 2,
  body: [ldMapValue('r1', 'seen', 0), stx('w', 'r1', 'r6', Seen.offsets.a), stx('w', 'r1', 'r7', Seen.offsets.result)],
});

using program = loadProgram(makeFexitProgramInfo('exit', 'bpf_fentry_test2', instructions), { maps: { seen } });
using _ = attach(program);
runProgram(program);
const { a, result } = seen.get(0);
console.log(`bpf_fentry_test2(${a}, …) returned ${result}`);
