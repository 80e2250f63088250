import { addressNumber, bpf, bpfError, bpfOrThrow } from './bpf.ts';
import { numberOf, objectName, u32 } from './check.ts';
import { Fd } from './fd.ts';
import { callWithLog, type LogFields } from './log.ts';
import { LE, withScope } from './memory.ts';
import { type AttachType, attachTypes, BPF_CMD, type ProgType, progTypes } from './uapi.ts';

export interface ProgLoadOptions {
  readonly type: ProgType;
  /** Instructions, 8 bytes a slot. */
  readonly insns: Uint8Array;
  /** Helpers that are for GPL programs only ask for 'GPL'. */
  readonly license: string;
  /** At most 15 of `A-Z a-z 0-9 _ .`. */
  readonly name?: string;
  readonly expectedAttachType?: AttachType;
  /** The BTF id in the kernel of the function, or typedef, that a tracing program is for. */
  readonly attachBtfId?: number;
}

/** prog_type 0 … attach_prog_fd 112, …, log_true_size 140: older kernels take the longer attr, its tail being zero. */
const ATTR_BYTES = 144;
const LOG: LogFields = { level: 24, size: 28, buffer: 32, trueSize: 140 };
const EPERM = 1;
const EAGAIN = 11;

/**
 * BPF_PROG_LOAD. A program that is refused is loaded a second time for the verifier's log, whole, in the error's `log`:
 * a load that succeeds pays nothing for it.
 *
 * @throws SysError with `log`; UnavailableError when the kernel does not permit such a program; RangeError
 * @example
 * ```ts
 * using prog = progLoad({ type: 'socket_filter', insns: assemble([mov('r0', 0), exit()]), license: 'GPL' });
 * ```
 */
export function progLoad(options: ProgLoadOptions): Fd {
  if (options.insns.byteLength === 0 || options.insns.byteLength % 8 !== 0)
    throw new RangeError(
      `a program has 8 bytes for each instruction slot; this one has ${options.insns.byteLength} bytes`,
    );
  return withScope((scope) => {
    const attr = scope.alloc(ATTR_BYTES);
    const { view } = attr;
    view.setUint32(0, numberOf(progTypes, options.type, 'program type'), LE);
    view.setUint32(4, options.insns.byteLength / 8, LE);
    view.setBigUint64(8, scope.copy(options.insns), LE);
    view.setBigUint64(16, scope.cString(options.license), LE);
    attr.bytes.set(objectName(options.name ?? ''), 48);
    if (options.expectedAttachType)
      view.setUint32(68, numberOf(attachTypes, options.expectedAttachType, 'attach type'), LE);
    view.setUint32(108, u32('attachBtfId', options.attachBtfId ?? 0), LE);

    const load = (): number => {
      // EAGAIN: a signal came while the verifier ran.
      for (let tries = 5; ; tries--) {
        const result = bpf(BPF_CMD.BPF_PROG_LOAD, addressNumber(attr), ATTR_BYTES);
        if (result !== -EAGAIN || tries === 0) return result;
      }
    };
    const fd = load();
    if (fd >= 0) return new Fd(fd);
    if (fd === -EPERM) throw bpfError('BPF_PROG_LOAD', EPERM);
    const again = callWithLog(view, LOG, load);
    if (again.result >= 0) return new Fd(again.result);
    throw bpfError('BPF_PROG_LOAD', -fd, { log: again.log });
  });
}

/**
 * BPF_PROG_TEST_RUN: runs a program once, on a packet for those types that take one.
 *
 * @returns what the program left in r0, as an unsigned 32-bit number
 * @throws SysError 'EINVAL' for a packet of fewer than 14 bytes, 'ENOTSUPP' for a type that cannot be run so
 */
export function progTestRun(prog: Fd, options: { readonly data?: Uint8Array } = {}): number {
  return withScope((scope) => {
    const attr = scope.alloc(72);
    attr.view.setUint32(0, prog.fd, LE);
    if (options.data) {
      attr.view.setUint32(8, options.data.byteLength, LE);
      attr.view.setBigUint64(16, scope.copy(options.data), LE);
    }
    bpfOrThrow('BPF_PROG_TEST_RUN', attr);
    return attr.view.getUint32(4, LE);
  });
}
