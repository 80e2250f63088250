// A fentry program from its parts, without the kernel's types: the slots of its arguments are counted by hand.
//
//   npm run example fentry-program
//
// bpf_fentry_test2 is there for such programs: the kernel calls it, with (2, 3), when one of them is run.
import { struct, u32, u64 } from '@bpf/btf/data';
import { buildFentryProgram, makeFentryProgramInfo } from '@bpf/dsl-fentry';
import { ldMapValue, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, loadProgram, runProgram } from '@bpf/programs';

const Seen = struct({ a: u32, b: u64 });
using seen = createMap({ type: 'array', value: Seen, maxEntries: 1 });

const instructions = buildFentryProgram({
  argSaves: [
    [0, 'r6'], // r6 = the first argument, an int
    [1, 'r7'], // r7 = the second, a u64
  ],
  body: [
    ldMapValue('r1', 'seen', 0),
    stx('w', 'r1', 'r6', Seen.offsets.a), // 4 bytes of it: the upper half of an int is undefined
    stx('dw', 'r1', 'r7', Seen.offsets.b),
  ],
  returnValue: 0, // the verifier takes no other
});

using program = loadProgram(makeFentryProgramInfo('entry', 'bpf_fentry_test2', instructions), { maps: { seen } });
using _ = attach(program);
runProgram(program);
const { a, b } = seen.get(0);
console.log(`bpf_fentry_test2(${a}, ${b})`);
