import { bpfOrThrow } from './bpf.ts';
import { numberOf, u32 } from './check.ts';
import { Fd } from './fd.ts';
import { LE, type Scope, withScope } from './memory.ts';
import { type AttachType, attachTypes } from './uapi.ts';

/** What an iterator is to go through, for those targets that take it (`union bpf_iter_link_info`). */
export type IterInfo =
  /** The map whose elements are visited. */
  | { readonly map: { readonly fd: number } }
  /** One thread, all threads of a process, or the process of a pidfd. Linux 6.1 and newer. */
  | { readonly task: { readonly tid: number } | { readonly pid: number } | { readonly pidFd: number } }
  /** A cgroup (the root when left out) and the order of the walk. Linux 6.1 and newer. */
  | { readonly cgroup: { readonly order: CgroupOrder; readonly fd?: number } };

const cgroupOrders = { self_only: 1, descendants_pre: 2, descendants_post: 3, ancestors_up: 4 } as const;
/** BPF_CGROUP_ITER_* in lower case. */
export type CgroupOrder = keyof typeof cgroupOrders;

export interface LinkCreateOptions {
  readonly prog: Fd;
  readonly attachType: AttachType;
  readonly iterInfo?: IterInfo;
}

/**
 * BPF_LINK_CREATE for tracing programs and iterators: the target is the one that the program was loaded for.
 * Iterators: Linux 5.8 and newer, `iterInfo` 5.9.
 *
 * @throws SysError, UnavailableError
 */
export function linkCreate(options: LinkCreateOptions): Fd {
  return withScope((scope) => {
    const attr = scope.alloc(options.iterInfo ? 28 : 16);
    attr.view.setUint32(0, options.prog.fd, LE);
    attr.view.setUint32(8, numberOf(attachTypes, options.attachType, 'attach type'), LE);
    if (options.iterInfo) {
      const info = iterLinkInfo(options.iterInfo);
      attr.view.setBigUint64(16, scope.copy(info), LE);
      attr.view.setUint32(24, info.byteLength, LE);
    }
    return new Fd(bpfOrThrow('BPF_LINK_CREATE', attr));
  });
}

/** `union bpf_iter_link_info`, of just the length that its kind has: older kernels know a shorter union. */
function iterLinkInfo(info: IterInfo): Uint8Array {
  if ('map' in info) return words(info.map.fd);
  if ('cgroup' in info)
    return words(numberOf(cgroupOrders, info.cgroup.order, 'cgroup order'), info.cgroup.fd ?? 0, 0, 0);
  const { task } = info;
  return words('tid' in task ? task.tid : 0, 'pid' in task ? task.pid : 0, 'pidFd' in task ? task.pidFd : 0);
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(i * 4, u32('iterInfo', value), LE);
  return bytes;
}

/**
 * BPF_ITER_CREATE: a descriptor whose reads run the iterator program. Each one is a pass of its own.
 * Linux 5.8 and newer.
 *
 * @throws SysError, UnavailableError
 */
export function iterCreate(link: Fd): Fd {
  return withScope((scope) => {
    const attr = scope.alloc(8);
    attr.view.setUint32(0, link.fd, LE);
    return new Fd(bpfOrThrow('BPF_ITER_CREATE', attr));
  });
}

/**
 * BPF_RAW_TRACEPOINT_OPEN: attaches a raw_tracepoint program to the tracepoint of this name, or, without a name, a
 * tracing program to what it was loaded for. Closing the descriptor detaches. Linux 4.17 and newer.
 *
 * @throws SysError 'ENOENT' when there is no such tracepoint; UnavailableError
 */
export function rawTracepointOpen(options: { readonly prog: Fd; readonly name?: string }): Fd {
  return withScope((scope: Scope) => {
    const attr = scope.alloc(16);
    if (options.name !== undefined) attr.view.setBigUint64(0, scope.cString(options.name), LE);
    attr.view.setUint32(8, options.prog.fd, LE);
    return new Fd(bpfOrThrow('BPF_RAW_TRACEPOINT_OPEN', attr));
  });
}
