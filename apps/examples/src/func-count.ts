// Counts the calls of a function of the kernel, by the name of who calls it:
//
//   npm run example func-count FUNCTION [SECONDS]
//
// A program at its entry counts in a hash map, which is read when the time is over.
import { setTimeout } from 'node:timers/promises';
import { char, u64 } from '@bpf/btf/data';
import { currentComm, zeroStack } from '@bpf/dsl';
import { defineFentry, validateTarget } from '@bpf/dsl-fentry';
import { mapIncrement } from '@bpf/dsl-maps';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { UnavailableError } from '@bpf/sys';

const [name = 'vfs_unlink', seconds = '1'] = process.argv.slice(2);
const [comm, one] = [-16, -24]; // char[16] and u64 in the stack

try {
  const { valid, reasons } = validateTarget(kernelBtf(), name);
  if (valid) await count();
  else {
    console.error(reasons.join('\n'));
    process.exitCode = 1;
  }
} catch (error) {
  if (!(error instanceof UnavailableError)) throw error;
  console.error(error.message);
  process.exitCode = 77;
}

async function count(): Promise<void> {
  const counting = defineFentry({ function: name, btf: kernelBtf() }, () => [
    zeroStack(comm, 16),
    currentComm(comm),
    mapIncrement('calls', comm, one),
  ]);
  using calls = createMap({ type: 'hash', key: char(16), value: u64, maxEntries: 1024 });
  using program = loadProgram(counting, { maps: { calls } });
  using _ = attach(program);
  console.log(`Counting calls of ${name} for ${seconds} s …`);
  await setTimeout(Number(seconds) * 1000);
  const rows = [...calls].sort(([, a], [, b]) => Number(b - a));
  for (const [comm, count] of rows) console.log(`${String(count).padStart(8)} ${comm}`);
}
