// Shows how long deleting files takes, of all processes or of one:
//
//   npm run example unlink-latency [SECONDS] [PID]
//
// A program at the entry of the kernel's function remembers when, one at its return counts how long it took.
import { setTimeout } from 'node:timers/promises';
import { u32, u64 } from '@bpf/btf/data';
import { block, currentTid, filterByPid, ktimeGetNs } from '@bpf/dsl';
import { defineFentry, defineFexit } from '@bpf/dsl-fentry';
import { mapDelete, mapIncrement, mapLookup, mapUpdate } from '@bpf/dsl-maps';
import { add, div, jeq, label, ldx, mov, type Program, rsh, stx, sub } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { UnavailableError } from '@bpf/sys';

const [seconds = 5, pid = 0] = process.argv.slice(2).map(Number);

const [thread, time, bucket, one] = [-4, -16, -20, -32] as const; // u32, u64, u32 and u64 in the stack
const mine = [pid ? filterByPid(pid, 'return') : [], currentTid(), stx('w', 'r10', 'r0', thread)];
/** r7 = how many bits r6 has, less one: halves it as often as needed. */
const log2: Program = [
  mov('r7', 0),
  [32, 16, 8, 4, 2, 1].map((n) =>
    block([mov('r1', 'r6'), rsh('r1', n), jeq('r1', 0, 'less'), mov('r6', 'r1'), add('r7', n), label('less')]),
  ),
];

try {
  const options = { function: 'vfs_unlink', btf: kernelBtf() };
  const entry = defineFentry(options, () => [
    mine,
    ktimeGetNs(),
    stx('dw', 'r10', 'r0', time),
    mapUpdate('started', thread, time),
  ]);
  const ret = defineFexit(options, () => [
    mine,
    mapLookup('started', thread),
    jeq('r0', 0, 'return'), // it was in there already
    ldx('dw', 'r8', 'r0', 0),
    ktimeGetNs(),
    [mov('r6', 'r0'), sub('r6', 'r8'), div('r6', 1000)], // µs
    log2,
    [stx('w', 'r10', 'r7', bucket), mapIncrement('histogram', bucket, one)],
    mapDelete('started', thread),
  ]);
  using started = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 1024 });
  using histogram = createMap({ type: 'array', value: u64, maxEntries: 64 });
  using first = loadProgram(entry, { maps: { started } });
  using second = loadProgram(ret, { maps: { started, histogram } });
  using _entry = attach(first);
  using _return = attach(second);
  console.log(`Timing deletions for ${seconds} s …`);
  await setTimeout(seconds * 1000);
  for (const [i, count] of histogram)
    if (count > 0n) console.log(`${String(i && 2 ** i).padStart(8)} to ${2 ** (i + 1)} µs: ${count}`);
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 77;
}
