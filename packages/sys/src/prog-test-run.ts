import { openAttr } from './attr.ts';
import { bpfError, call } from './bpf.ts';
import { errnoName } from './errno.ts';
import type { HasFd } from './fd.ts';
import { withScope } from './memory.ts';

export interface ProgTestRunOptions {
  /** A packet, for those types that take one: at least 14 bytes, the length of an Ethernet header. */
  readonly data?: Uint8Array;
  /** Room for the packet as the program leaves it: by default, for what it was and 256 bytes more. */
  readonly dataSizeOut?: number;
  /** The context, for those types that take one. */
  readonly ctx?: Uint8Array;
  /** Room for the context as the program leaves it: none by default. */
  readonly ctxSizeOut?: number;
  /** How often it runs, for `duration`. Not for raw tracepoints and tracing programs. */
  readonly repeat?: number;
  /** BPF_F_TEST_RUN_ON_CPU: for raw tracepoints, the CPU to run on. Linux 5.10. */
  readonly cpu?: number;
  /** BPF_F_TEST_XDP_LIVE_FRAMES: XDP programs get real frames, in batches of this many. Linux 5.18. */
  readonly liveFrames?: { readonly batchSize?: number };
}

export interface ProgTestRunResult {
  /** What the program left in r0, as an unsigned 32-bit number. */
  readonly retval: number;
  /** Nanoseconds that one run took, on average. */
  readonly duration: number;
  /** The packet as the program left it: cut, when `dataSizeOut` was less than `dataSize`. */
  readonly data: Uint8Array;
  /** Its whole length. */
  readonly dataSize: number;
  /** The context as the program left it: without `ctxSizeOut` in the place where it was given, as syscall programs do. */
  readonly ctx: Uint8Array;
}

const ON_CPU = 1;
const XDP_LIVE_FRAMES = 2;
const EINVAL = 22;
const ENOSPC = 28;
const ENOTSUPP = 524;

/**
 * BPF_PROG_TEST_RUN: runs a program without attaching it. Packet types (xdp, sched_cls, socket_filter, flow_dissector,
 * cgroup_skb and their like) want `data`; raw tracepoints and syscall programs take `ctx` alone; a fentry program runs on the
 * kernel's test functions; others cannot be run. Linux 4.12.
 *
 * @throws SysError 'EINVAL' for a packet of fewer than 14 bytes or an option that the type does not take, 'ENOTSUPP' for a
 *   type that cannot be run so; UnavailableError
 * @example
 * ```ts
 * const { retval } = progTestRun(prog, { data: new Uint8Array(64) });
 * ```
 */
export function progTestRun(prog: HasFd, options: ProgTestRunOptions = {}): ProgTestRunResult {
  const { data, ctx, ctxSizeOut = 0, repeat = 0, cpu, liveFrames } = options;
  const dataSizeOut = options.dataSizeOut ?? (data && !liveFrames ? data.length + 256 : 0);
  return withScope((scope) => {
    const dataOut = scope.alloc(dataSizeOut);
    const ctxOut = scope.alloc(ctxSizeOut);
    const ctxIn = scope.alloc(ctx?.length ?? 0);
    if (ctx) ctxIn.bytes.set(ctx);
    const attr = openAttr(scope, 'BPF_PROG_TEST_RUN', {
      prog_fd: prog.fd,
      data_size_in: data?.length ?? 0,
      data_size_out: dataSizeOut,
      data_in: data ? scope.copy(data) : 0,
      data_out: dataSizeOut > 0 ? dataOut.address : 0,
      repeat,
      ctx_size_in: ctx?.length ?? 0,
      ctx_size_out: ctxSizeOut,
      ctx_in: ctx ? ctxIn.address : 0,
      ctx_out: ctxSizeOut > 0 ? ctxOut.address : 0,
      flags: (cpu === undefined ? 0 : ON_CPU) | (liveFrames ? XDP_LIVE_FRAMES : 0),
      cpu: cpu ?? 0,
      batch_size: liveFrames?.batchSize ?? 0,
    });
    const result = call(attr);
    // Too little room for the packet: it ran, and the rest of the answer is there.
    if (result < 0 && result !== -ENOSPC) {
      const hint = whyNotRun(-result, options);
      throw bpfError(attr, -result, hint === undefined ? {} : { hint });
    }
    const dataSize = attr.get('data_size_out');
    return {
      retval: attr.get('retval'),
      duration: attr.get('duration'),
      data: dataOut.bytes.slice(0, dataSize),
      dataSize,
      ctx: ctxSizeOut > 0 ? ctxOut.bytes.slice(0, attr.get('ctx_size_out')) : ctxIn.bytes.slice(),
    };
  });
}

function whyNotRun(errno: number, { data, ctx }: ProgTestRunOptions): string | undefined {
  if (errno === ENOTSUPP) return `a program of this type cannot be run so (${errnoName(errno)}): attach it`;
  if (errno !== EINVAL) return undefined;
  if (data && data.length < 14) return `a packet has at least the 14 bytes of its Ethernet header, not ${data.length}`;
  if (data) return 'this type of program takes no packet of this length, or no packet, or not these options';
  return ctx
    ? 'this type of program takes no context like this'
    : 'this type of program wants a packet (data) or a context (ctx)';
}
