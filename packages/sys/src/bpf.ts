import type { Attr, BpfCmd } from './attr.ts';
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
 * Calls bpf(2) with an attr that already lies in native memory: for calls that are made often.
 *
 * @returns the result, or -errno
 */
export function bpf(command: number, attrAddress: number, attrBytes: number): number {
  const { syscall, numbers, errno } = getLibc();
  const result = syscall(numbers.bpf, command, attrAddress, attrBytes);
  return result < 0 ? -(errno[0] as number) : result;
}

/** Makes the call, again when a signal came while the kernel worked. Returns the result, or -errno. */
export function call(attr: Attr<BpfCmd>, bytes: number = attr.bytes): number {
  for (let tries = 5; ; tries--) {
    const result = bpf(BPF_CMD[attr.command], attr.memory.address, bytes);
    if (result === -EPERM && liftedMemlock(attr.command)) continue;
    if ((result !== -EAGAIN && result !== -EINTR) || tries === 0) return result;
  }
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
