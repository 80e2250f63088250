import { readFileSync } from 'node:fs';
import { exit, type Program as Instructions, mov } from '@bpf/insn';
import { loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';

/** Runs a program in this thread with these slots, and returns its r0 as a signed 32-bit number. */
export function run(
  instructions: Instructions,
  slots: readonly bigint[] = [],
  maps: Record<string, { readonly fd: number }> = {},
): number {
  const spec = { name: 'run', type: 'raw_tracepoint', instructions: [instructions, mov('r0', 0), exit()] } as const;
  using program = loadProgram(spec, { maps });
  const ctx = new Uint8Array(BigUint64Array.from(slots, (slot) => BigInt.asUintN(64, slot)).buffer);
  return progTestRun(program, slots.length > 0 ? { ctx } : {}).retval | 0;
}

/** The functions that these addresses are in, by /proc/kallsyms. */
export function symbolsAt(addresses: readonly bigint[]): string[] {
  const found = new Map<bigint, [bigint, string]>();
  for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
    const [hex, , name = ''] = line.split(/\s/);
    const at = BigInt(`0x${hex || 0}`);
    for (const address of addresses)
      if (at <= address && at > (found.get(address)?.[0] ?? 0n)) found.set(address, [at, name]);
  }
  return addresses.map((address) => found.get(address)?.[1] ?? '');
}
