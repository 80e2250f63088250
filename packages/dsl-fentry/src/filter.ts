import { jne, lddw, ldx, type Program, slotCount, type Target } from '@bpf/insn';
import { COMM_BYTES, currentComm, currentPid } from './current.ts';
import { FentryError } from './error.ts';
import { zeroStack } from './memory.ts';
import { checkStack } from './operands.ts';

/**
 * Emits `if (bpf_get_current_pid_tgid() >> 32 != pid) goto target`: goes on for one process only. Clobbers r0 to r5: save the
 * arguments before, {@link prologue}.
 *
 * @param target a label, or how many slots to skip
 * @throws FentryError `NUMBER_RANGE`
 * @example
 * ```ts
 * [saveArgs(1), filterByPid(1234, 'out'), ..., label('out')]
 * ```
 */
export function filterByPid(pid: number, target: Target): Program {
  if (!Number.isInteger(pid) || pid < 0 || pid > 0x7fff_ffff) throw new FentryError('NUMBER_RANGE', `${pid} is no PID`);
  return [currentPid(), jne('r0', pid, target)];
}

/**
 * Emits
 *
 * ```c
 * char comm[16] = {}; // at r10 + at: some kernels write nothing behind the NUL
 * bpf_get_current_comm(comm, 16);
 * if (((u64 *)comm)[0] != first half || ((u64 *)comm)[1] != second half) goto target;
 * ```
 *
 * Goes on for threads of this name only, all of which counts. For little-endian machines. Clobbers r0 to r5.
 *
 * @param at 16 bytes in the stack, a negative multiple of 8
 * @param comm up to 15 bytes, as in /proc/PID/comm: the kernel cuts longer names
 * @param target a label, or how many slots to skip: a wide instruction counts as two
 * @throws FentryError `COMM` for a name that none has, `STACK_RANGE`
 * @example
 * ```ts
 * [saveArgs(1), filterByComm(-16, 'nginx', 'out'), ..., label('out')]
 * ```
 */
export function filterByComm(at: number, comm: string, target: Target): Program {
  checkStack('filterByComm', at, COMM_BYTES, 8);
  const [low, high] = halves(comm);
  const second = unlessEqual(at + 8, high, target);
  // What is skipped by number lies behind the second comparison.
  const first = unlessEqual(at, low, typeof target === 'number' ? target + slotCount(second) : target);
  return [zeroStack(at, COMM_BYTES), currentComm(at), first, second];
}

function unlessEqual(at: number, half: bigint, target: Target): Program {
  const load = ldx('dw', 'r0', 'r10', at);
  // A comparison sign-extends its 32 bits.
  if (BigInt.asIntN(32, half) === half) return [load, jne('r0', Number(half), target)];
  return [load, lddw('r1', half), jne('r0', 'r1', target)];
}

/** The bytes of a name and zeros, as two little-endian u64. */
function halves(comm: string): readonly [bigint, bigint] {
  const bytes = utf8(comm);
  if (bytes.length === 0 || bytes.length >= COMM_BYTES || bytes.includes(0))
    throw new FentryError(
      'COMM',
      `'${comm}' is no name of a thread: it has 1 to 15 bytes, as in /proc/PID/comm, and this has ${bytes.length}`,
    );
  const half = (from: number): bigint =>
    bytes.slice(from, from + 8).reduce((sum, byte, i) => sum | (BigInt(byte) << BigInt(8 * i)), 0n);
  return [half(0), half(8)];
}

/** Without TextEncoder, which is not ECMAScript. */
function utf8(text: string): number[] {
  const escaped = encodeURIComponent(text);
  return [...escaped.matchAll(/%(..)|./g)].map(([char, code]) =>
    code ? Number.parseInt(code, 16) : char.charCodeAt(0),
  );
}
