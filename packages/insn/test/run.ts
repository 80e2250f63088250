import { progLoad, progTestRun, SysError } from '@bpf/sys';
import { assemble, exit, type Program, rsh } from '../src/index.ts';

const packet = Uint8Array.from({ length: 64 }, (_, i) => i);

/** What the kernel computes in r0, of which a test run shows 32 bits at a time. `rest` is what follows the exit. */
export function run(program: Program, rest: Program = []): bigint {
  const half = (shift: number): bigint => {
    const insns = assemble([program, rsh('r0', shift), exit(), rest]);
    using prog = progLoad({ type: 'socket_filter', insns, license: 'GPL' });
    return BigInt(progTestRun(prog, { data: packet }).retval);
  };
  return (half(32) << 32n) | half(0);
}

/** What the verifier says of a program that it refuses; empty when it does not. */
export function refusal(program: Program): string {
  try {
    progLoad({ type: 'socket_filter', insns: assemble(program), license: 'GPL' }).close();
    return '';
  } catch (error) {
    if (error instanceof SysError && error.log !== undefined) return error.log;
    throw error;
  }
}
