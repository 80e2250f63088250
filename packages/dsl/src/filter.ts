import { jne, lddw, ldx, or, type Program, type Target, type WritableRegister, xor } from '@bpf/insn';
import { COMM_BYTES, currentComm, currentPid } from './current.ts';
import { DslError } from './error.ts';
import { checkStack, zeroStack } from './stack.ts';

/**
 * Emits `if (bpf_get_current_pid_tgid() >> 32 != pid) goto target`: goes on for one process only. Clobbers r0 to r5: save
 * what they hold before.
 *
 * @param target a label, or how many slots to skip
 * @throws DslError `NUMBER_RANGE`
 * @example
 * ```ts
 * [filterByPid(1234, 'out'), ..., label('out')]
 * ```
 */
export function filterByPid(pid: number, target: Target): Program {
  if (!Number.isInteger(pid) || pid < 0 || pid > 0x7fff_ffff) throw new DslError('NUMBER_RANGE', `${pid} is no PID`);
  return [currentPid(), jne('r0', pid, target)];
}

/**
 * Emits
 *
 * ```c
 * char comm[16] = {}; // at r10 + at: some kernels write nothing behind the NUL
 * bpf_get_current_comm(comm, 16);
 * r0 = ((u64 *)comm)[0] ^ first half;
 * r1 = ((u64 *)comm)[1] ^ second half;
 * if (r0 | r1) goto target;
 * ```
 *
 * Goes on for threads of this name only, all of which counts. For little-endian machines. Clobbers r0 to r5.
 *
 * @param at 16 bytes in the stack, a negative multiple of 8
 * @param comm up to 15 bytes, as in /proc/PID/comm: the kernel cuts longer names
 * @param target a label, or how many slots to skip: a wide instruction counts as two
 * @throws DslError `COMM` for a name that none has, `STACK_RANGE`
 * @example
 * ```ts
 * [filterByComm(-16, 'nginx', 'out'), ..., label('out')]
 * ```
 */
export function filterByComm(at: number, comm: string, target: Target): Program {
  checkStack('filterByComm', at, COMM_BYTES, 8);
  const [low, high] = halves(comm);
  return [
    [zeroStack(at, COMM_BYTES), currentComm(at)],
    [ldx('dw', 'r0', 'r10', at), xorWide('r0', low)],
    [ldx('dw', 'r1', 'r10', at + 8), xorWide('r1', high)],
    or('r0', 'r1'),
    jne('r0', 0, target),
  ];
}

/** Emits `dst ^= value`, by way of r2 when it is none of 32 bits, which are extended by their sign. */
function xorWide(dst: WritableRegister, value: bigint): Program {
  if (BigInt.asIntN(32, value) === value) return [xor(dst, Number(value))];
  return [lddw('r2', value), xor(dst, 'r2')];
}

/** The bytes of a name and zeros, as two little-endian u64. */
function halves(comm: string): readonly [bigint, bigint] {
  const bytes = utf8(comm);
  if (bytes.length === 0 || bytes.length >= COMM_BYTES || bytes.includes(0))
    throw new DslError(
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
