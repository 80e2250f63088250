import { errnoName } from './errno.ts';
import { SysError, UnavailableError } from './error.ts';
import { getLibc } from './libc.ts';
import { readMachine, whyNotPermitted } from './machine.ts';
import type { NativeMemory } from './memory.ts';
import { BPF_CMD, type BpfCmd } from './uapi.ts';

/**
 * Calls bpf(2) with an attr that already lies in native memory: for calls that are made often.
 *
 * @returns the result, or -errno
 */
export function bpf(command: number, attrAddress: number, attrBytes: number): number {
  const { syscall, bpfNumber, errno } = getLibc();
  const result = syscall(bpfNumber, command, attrAddress, attrBytes);
  return result < 0 ? -(errno[0] as number) : result;
}

/**
 * Calls bpf(2) with the whole of `attr`, which the caller has made exactly as long as the command's part of
 * `union bpf_attr`: the kernel reads that many bytes, and writes its outputs there.
 *
 * @throws SysError, and UnavailableError when the kernel does not permit or does not know the command
 */
export function bpfOrThrow(command: BpfCmd, attr: NativeMemory): number {
  const result = bpf(BPF_CMD[command], addressNumber(attr), attr.bytes.byteLength);
  if (result < 0) throw bpfError(command, -result);
  return result;
}

/** The error to throw for a failed command. */
export function bpfError(command: BpfCmd, errno: number, facts: { hint?: string; log?: string } = {}): SysError {
  const all = { code: errnoName(errno), errno, syscall: 'bpf', command, ...facts };
  if (errno === 38)
    return new UnavailableError('This kernel has no bpf(2) system call: it needs CONFIG_BPF_SYSCALL=y.', all);
  if (errno === 1) return new UnavailableError(`${command}: ${whyNotPermitted(readMachine())}`, all);
  return new SysError(all);
}

/** An address as a number: user space ends below 2^53 everywhere. */
export function addressNumber(memory: NativeMemory): number {
  return Number(memory.address);
}
