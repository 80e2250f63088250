import type { Attr, BpfCmd } from './attr.ts';
import { u32 } from './check.ts';
import { errnoName } from './errno.ts';
import { SysError, type SysErrorFacts, UnavailableError } from './error.ts';
import { hintFor } from './hint.ts';
import { getLibc } from './libc.ts';
import { kernelAtLeast, readMachine, whyNotPermitted } from './machine.ts';
import { raiseMemlock } from './rlimit.ts';
import { BPF_CMD } from './uapi.gen.ts';

const EPERM = 1;
const EINTR = 4;
const EAGAIN = 11;
const ENOSYS = 38;

/**
 * Calls bpf(2) with an attr that already lies in native memory: for commands that this package has no function for. Nothing
 * checks what the attr says: a wrong address or length in it can crash the process.
 *
 * @returns the result, or -errno
 * @throws RangeError for what is no integer, or out of range; UnavailableError anywhere but on Linux
 * @example
 * ```ts
 * const BPF_ENABLE_STATS = 32;
 * const fd = withScope((scope) => bpf(BPF_ENABLE_STATS, scope.alloc(4).address, 4));
 * ```
 */
export function bpf(command: number, attrAddress: number, attrBytes: number): number {
  u32('command', command);
  u32('attrBytes', attrBytes);
  if (!Number.isSafeInteger(attrAddress) || attrAddress < 0)
    throw new RangeError(`attrAddress is ${attrAddress}; it must be an integer in 0..2^53-1`);
  return bpfUnchecked(command, attrAddress, attrBytes);
}

/** {@link bpf} for those who know what they pass: koffi takes NaN for 0. */
export function bpfUnchecked(command: number, attrAddress: number, attrBytes: number): number {
  const { syscall, numbers, errno } = getLibc();
  const result = syscall(numbers.bpf, command, attrAddress, attrBytes);
  return result < 0 ? -(errno[0] as number) : result;
}

/**
 * Makes the call, again when a signal came while the kernel worked. Not for commands that change the attr although they
 * fail. Returns the result, or -errno.
 */
export function call(attr: Attr<BpfCmd>): number {
  for (let tries = 5; ; tries--) {
    const result = callOnce(attr);
    if (result === -EPERM && liftedMemlock(attr.command)) continue;
    if ((result !== -EAGAIN && result !== -EINTR) || tries === 0) return result;
  }
}

export function callOnce(attr: Attr<BpfCmd>): number {
  return bpfUnchecked(BPF_CMD[attr.command], attr.memory.address, attr.bytes);
}

let lifted = false;

/**
 * Linux before 5.11 counts maps and programs as locked memory, and refuses them where there is too much of it: as libbpf
 * does, lift the limit and try again, once. Whether that is worth it now.
 */
function liftedMemlock(command: BpfCmd): boolean {
  if (lifted || !(command === 'BPF_MAP_CREATE' || command === 'BPF_PROG_LOAD')) return false;
  if (kernelAtLeast(readMachine().release, 5, 11)) return false;
  lifted = true;
  try {
    return raiseMemlock();
  } catch {
    return false; // then the EPERM is explained
  }
}

/** Makes the call, and throws unless it succeeds: SysError, or UnavailableError when the kernel does not permit it. */
export function callOrThrow(attr: Attr<BpfCmd>, facts?: Partial<SysErrorFacts>): number {
  const result = call(attr);
  if (result < 0) throw bpfError(attr, -result, facts);
  return result;
}

/** The error to throw for a call that failed. */
export function bpfError(attr: Attr<BpfCmd>, errno: number, facts: Partial<SysErrorFacts> = {}): SysError {
  const { command } = attr;
  const all = { code: errnoName(errno), errno, syscall: 'bpf', command, ...facts };
  if (errno === ENOSYS)
    return new UnavailableError('This kernel has no bpf(2) system call: it needs CONFIG_BPF_SYSCALL=y.', all);
  const hint = facts.hint ?? hintFor(attr, errno);
  if (typeof hint === 'object') return new UnavailableError(`${command}: ${hint.unavailable}`, all);
  if (errno === EPERM && hint === undefined)
    return new UnavailableError(`${command}: ${whyNotPermitted(readMachine())}`, all);
  return new SysError(hint === undefined ? all : { ...all, hint });
}
