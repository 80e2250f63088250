import { type AttrFields, encodeStruct, openAttr } from './attr.ts';
import { callOrThrow } from './bpf.ts';
import { numberOf, u32 } from './check.ts';
import { Fd, type HasFd } from './fd.ts';
import { type Scope, withScope } from './memory.ts';
import type { AttachType } from './prog.ts';
import { attachTypes, cgroupIterOrders } from './uapi.gen.ts';

/** What an iterator is to go through, for those targets that take it (`union bpf_iter_link_info`). */
export type IterInfo =
  /** The map whose elements are visited. */
  | { readonly map: HasFd }
  /** One thread, all threads of a process, or the process of a pidfd. Linux 6.1 and newer. */
  | { readonly task: { readonly tid: number } | { readonly pid: number } | { readonly pidFd: number } }
  /** A cgroup (the root when left out) and the order of the walk. Linux 6.1 and newer. */
  | {
      readonly cgroup: { readonly order: CgroupOrder; readonly fd?: number; readonly id?: bigint };
    };

/** BPF_CGROUP_ITER_* in lower case. */
export type CgroupOrder = keyof typeof cgroupIterOrders;

/** Where among the programs of a place: beside another program or link. */
export interface LinkOrder {
  readonly before?: LinkAnchor;
  readonly after?: LinkAnchor;
  /** The place's revision, when it is only to be done unless something changed. */
  readonly expectedRevision?: number | bigint;
}
/** A program or a link, by descriptor or id; with neither, the first or the last of all. */
export type LinkAnchor =
  | { readonly prog: HasFd }
  | { readonly link: HasFd }
  | { readonly progId: number }
  | { readonly linkId: number }
  | 'all';

/** Functions of the kernel for BPF_TRACE_KPROBE_MULTI: by name or by address, each with a cookie of its own. */
export interface KprobeMulti {
  readonly symbols?: readonly string[];
  readonly addresses?: readonly bigint[];
  readonly cookies?: readonly bigint[];
  /** On return. */
  readonly retprobe?: boolean;
}

/** Places in a program file for BPF_TRACE_UPROBE_MULTI. */
export interface UprobeMulti {
  readonly path: string;
  /** Offsets in the file. */
  readonly offsets: readonly bigint[];
  readonly refCtrOffsets?: readonly bigint[];
  readonly cookies?: readonly bigint[];
  /** Only this process. */
  readonly pid?: number;
  readonly retprobe?: boolean;
}

/** Functions of the kernel for BPF_TRACE_FENTRY_MULTI, BPF_TRACE_FEXIT_MULTI and BPF_TRACE_FSESSION_MULTI. */
export interface TracingMulti {
  /** BTF ids of functions of the kernel itself, each once. */
  readonly btfIds: readonly number[];
  readonly cookies?: readonly bigint[];
}

export interface LinkCreateOptions {
  readonly attachType: AttachType | number;
  /** What is attached: a program, or a struct_ops map. */
  readonly prog?: HasFd;
  readonly map?: HasFd;
  /** What it is attached to: a cgroup, a network namespace, a perf event, a program (for ext), a map (for sockmaps). */
  readonly target?: HasFd;
  /** What it is attached to: a network interface. */
  readonly ifindex?: number;
  readonly flags?: number;
  /** With a target program: the BTF id of the function in it. */
  readonly targetBtfId?: number;
  /** What the program gets from bpf_get_attach_cookie(): perf events (Linux 5.15), tracing (5.19; not tp_btf). */
  readonly cookie?: number | bigint;
  readonly iterInfo?: IterInfo;
  /** Linux 5.18. */
  readonly kprobeMulti?: KprobeMulti;
  /** Linux 6.6. */
  readonly uprobeMulti?: UprobeMulti;
  /** Linux 7.2. */
  readonly tracingMulti?: TracingMulti;
  /** Protocol family, hook and priority. Linux 6.4. */
  readonly netfilter?: {
    readonly pf: number;
    readonly hooknum: number;
    readonly priority: number;
    readonly flags?: number;
  };
  /** For tcx (Linux 6.6), netkit (6.7) and cgroups (6.17). */
  readonly order?: LinkOrder;
}

/**
 * BPF_LINK_CREATE. Closing the last descriptor of a link that is not pinned detaches. Tracing programs and iterators are
 * attached to what they were loaded for, without a target. Linux 5.7 (cgroups, network namespaces), 5.8 (iterators), 5.9
 * (XDP), 5.15 (perf events), 5.18 (kprobe_multi), and so on: each attach type's own.
 *
 * @throws SysError; UnavailableError when the kernel has no links for this type: attach it the older way
 * @example
 * ```ts
 * using link = linkCreate({ prog, target: cgroup, attachType: 'cgroup_inet_egress' });
 * ```
 */
export function linkCreate(options: LinkCreateOptions): Fd {
  const { prog, map, target, ifindex } = options;
  const object = prog ?? map;
  if (!object) throw new RangeError('a link is of a program or of a struct_ops map: there is neither');
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_LINK_CREATE', {
      prog_fd: object.fd,
      target_fd: target?.fd ?? ifindex ?? 0,
      attach_type: numberOf(attachTypes, options.attachType, 'attach type'),
      flags: (u32('flags', options.flags ?? 0) | orderFlags(options.order)) >>> 0,
      ...place(scope, options),
    });
    return new Fd(callOrThrow(attr));
  });
}

type Place = AttrFields<'BPF_LINK_CREATE'>;

/** The part of the attr that each attach type has of its own. */
function place(scope: Scope, options: LinkCreateOptions): Place {
  const { iterInfo, kprobeMulti, uprobeMulti, tracingMulti, netfilter, order, targetBtfId, cookie } = options;
  if (iterInfo) {
    const info = iterLinkInfo(iterInfo);
    return { iter_info: scope.copy(info), iter_info_len: info.length };
  }
  if (kprobeMulti) return kprobes(scope, kprobeMulti);
  if (uprobeMulti) return uprobes(scope, uprobeMulti);
  if (tracingMulti) return functions(scope, tracingMulti);
  if (netfilter)
    return {
      'netfilter.pf': netfilter.pf,
      'netfilter.hooknum': netfilter.hooknum,
      'netfilter.priority': netfilter.priority,
      'netfilter.flags': netfilter.flags ?? 0,
    };
  if (order) return { 'tcx.relative_fd': anchorOf(order), 'tcx.expected_revision': order.expectedRevision ?? 0 };
  if (options.attachType === 'perf_event') return { 'perf_event.bpf_cookie': cookie ?? 0 };
  return { 'tracing.target_btf_id': targetBtfId ?? 0, 'tracing.cookie': cookie ?? 0 };
}

/** `union bpf_iter_link_info`. */
function iterLinkInfo(info: IterInfo): Uint8Array {
  const name = 'bpf_iter_link_info';
  if ('map' in info) return encodeStruct(name, { 'map.map_fd': info.map.fd });
  if ('cgroup' in info) {
    const { order, fd = 0, id = 0n } = info.cgroup;
    const number = numberOf(cgroupIterOrders, order, 'cgroup order');
    return encodeStruct(name, { 'cgroup.order': number, 'cgroup.cgroup_fd': fd, 'cgroup.cgroup_id': id });
  }
  const { task } = info;
  return encodeStruct(name, {
    'task.tid': 'tid' in task ? task.tid : 0,
    'task.pid': 'pid' in task ? task.pid : 0,
    'task.pid_fd': 'pidFd' in task ? task.pidFd : 0,
  });
}

function kprobes(scope: Scope, { symbols, addresses, cookies, retprobe }: KprobeMulti): Place {
  if ((symbols === undefined) === (addresses === undefined))
    throw new RangeError('kprobeMulti has symbols or addresses: exactly one of them');
  const count = (symbols ?? addresses ?? []).length;
  return {
    'kprobe_multi.flags': retprobe ? 1 : 0,
    'kprobe_multi.cnt': count,
    ...(symbols && {
      'kprobe_multi.syms': u64s(
        scope,
        symbols.map((name) => BigInt(scope.cString(name))),
      ),
    }),
    ...(addresses && { 'kprobe_multi.addrs': u64s(scope, addresses) }),
    ...(cookies && { 'kprobe_multi.cookies': u64s(scope, sameCount('cookies', cookies, count)) }),
  };
}

function uprobes(scope: Scope, probes: UprobeMulti): Place {
  const { path, offsets, refCtrOffsets, cookies, pid, retprobe } = probes;
  const count = offsets.length;
  return {
    'uprobe_multi.path': scope.cString(path),
    'uprobe_multi.offsets': u64s(scope, offsets),
    'uprobe_multi.cnt': count,
    'uprobe_multi.flags': retprobe ? 1 : 0,
    'uprobe_multi.pid': pid ?? 0,
    ...(refCtrOffsets && {
      'uprobe_multi.ref_ctr_offsets': u64s(scope, sameCount('refCtrOffsets', refCtrOffsets, count)),
    }),
    ...(cookies && { 'uprobe_multi.cookies': u64s(scope, sameCount('cookies', cookies, count)) }),
  };
}

function functions(scope: Scope, { btfIds, cookies }: TracingMulti): Place {
  const ids = Uint32Array.from(btfIds, (id) => u32('btfIds', id));
  return {
    'tracing_multi.ids': scope.copy(new Uint8Array(ids.buffer)),
    'tracing_multi.cnt': ids.length,
    ...(cookies && { 'tracing_multi.cookies': u64s(scope, sameCount('cookies', cookies, ids.length)) }),
  };
}

/** The kernel reads as many of each list as there are places. */
function sameCount(what: string, values: readonly bigint[], count: number): readonly bigint[] {
  if (values.length === count) return values;
  throw new RangeError(`there are ${values.length} ${what} for ${count} places`);
}

function u64s(scope: Scope, values: readonly bigint[]): number {
  // The array would take them modulo 2^64.
  const bad = values.find((value) => typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value);
  if (bad !== undefined) throw new RangeError(`${String(bad)} is not a bigint in 0..2^64-1`);
  return scope.copy(new Uint8Array(BigUint64Array.from(values).buffer));
}

const BPF_F_BEFORE = 8;
const BPF_F_AFTER = 16;
const BPF_F_ID = 32;
const BPF_F_LINK = 8192;

/** BPF_F_BEFORE, BPF_F_AFTER, BPF_F_ID and BPF_F_LINK, as the order wants them. */
export function orderFlags(order: LinkOrder = {}): number {
  const { before, after } = order;
  const anchor = before ?? after;
  const flags = (before ? BPF_F_BEFORE : 0) | (after ? BPF_F_AFTER : 0);
  if (anchor === undefined || anchor === 'all') return flags;
  const isId = 'progId' in anchor || 'linkId' in anchor;
  const isLink = 'link' in anchor || 'linkId' in anchor;
  return flags | (isId ? BPF_F_ID : 0) | (isLink ? BPF_F_LINK : 0);
}

/** relative_fd or relative_id: one field. */
export function anchorOf({ before, after }: LinkOrder): number {
  const anchor = before ?? after;
  if (anchor === undefined || anchor === 'all') return 0;
  if ('prog' in anchor) return anchor.prog.fd;
  if ('link' in anchor) return anchor.link.fd;
  return 'progId' in anchor ? anchor.progId : anchor.linkId;
}

/**
 * BPF_LINK_UPDATE: replaces the program of a link, or the map of a struct_ops link, in one step. Linux 5.7; not for tracing
 * links.
 *
 * @param options.old replace it only when it is still this one
 * @throws SysError 'EINVAL' for a link that cannot be updated, 'EPERM' when `old` is not what is attached
 */
export function linkUpdate(link: HasFd, options: { readonly replacement: HasFd; readonly old?: HasFd }): void {
  const BPF_F_REPLACE = 4;
  withScope((scope) => {
    callOrThrow(
      openAttr(scope, 'BPF_LINK_UPDATE', {
        link_fd: link.fd,
        new_prog_fd: options.replacement.fd,
        old_prog_fd: options.old?.fd ?? 0,
        flags: options.old ? BPF_F_REPLACE : 0,
      }),
    );
  });
}

/** BPF_LINK_DETACH: detaches at once, whoever else holds the link. Linux 5.9; not for tracing links. */
export function linkDetach(link: HasFd): void {
  withScope((scope) => {
    callOrThrow(openAttr(scope, 'BPF_LINK_DETACH', { link_fd: link.fd }));
  });
}

/**
 * BPF_ITER_CREATE: a descriptor whose reads run the iterator program. Each one is a pass of its own.
 * Linux 5.8 and newer.
 *
 * @throws SysError, UnavailableError
 */
export function iterCreate(link: HasFd): Fd {
  return withScope((scope) => new Fd(callOrThrow(openAttr(scope, 'BPF_ITER_CREATE', { link_fd: link.fd }))));
}

/**
 * BPF_RAW_TRACEPOINT_OPEN: attaches a raw_tracepoint program to the tracepoint of this name, or, without a name, a
 * tracing program to what it was loaded for. Closing the descriptor detaches. Linux 4.17 and newer.
 *
 * @param options.cookie what bpf_get_attach_cookie() returns. Linux 6.10
 * @throws SysError 'ENOENT' when there is no such tracepoint, or a tracing program was attached before (until Linux 5.12);
 *   UnavailableError
 */
export function rawTracepointOpen(options: {
  readonly prog: HasFd;
  readonly name?: string;
  readonly cookie?: number | bigint;
}): Fd {
  const { prog, name, cookie = 0 } = options;
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_RAW_TRACEPOINT_OPEN', {
      name: name === undefined ? 0 : scope.cString(name),
      prog_fd: prog.fd,
      cookie,
    });
    return new Fd(callOrThrow(attr));
  });
}
