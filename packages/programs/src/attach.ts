import type { IterInfo } from '@bpf/sys';
import { attachExt } from './attach/ext.ts';
import { attachIter } from './attach/iter.ts';
import { attachKprobe } from './attach/kprobe.ts';
import { attachKprobeMulti } from './attach/kprobe-multi.ts';
import type { Attachable } from './attach/make.ts';
import { attachRawTracepoint } from './attach/raw-tracepoint.ts';
import { attachTracepoint } from './attach/tracepoint.ts';
import { attachLsm, attachTracing } from './attach/tracing.ts';
import { attachTracingMulti } from './attach/tracing-multi.ts';
import { ProgramError } from './error.ts';
import type { Link } from './link.ts';

export interface AttachOptions {
  /** What an iterator goes through, for targets that take it. */
  readonly iterInfo?: IterInfo;
  /** What bpf_get_attach_cookie() returns: tracing programs, tracepoints and kprobes. */
  readonly cookie?: number | bigint;
  /** Kprobes: on return. */
  readonly retprobe?: boolean;
}

/**
 * Attaches a program to what its spec says, for kinds whose spec says it all: tracing programs, iterators, LSM hooks,
 * tracepoints, kprobes and ext. Others have functions of their own, such as `attachXdp`.
 *
 * @throws ProgramError `NOT_ATTACHABLE` for a type that attaches to something else, or to nothing, `NO_TARGET`, `ITER_INFO`;
 *   SysError; UnavailableError
 * @example
 * ```ts
 * using link = attach(program);
 * ```
 */
export function attach(program: Attachable, options: AttachOptions = {}): Link {
  const { type, attachType } = program.spec;
  const { iterInfo, cookie, retprobe = false } = options;
  const cookies = cookie === undefined ? {} : { cookie };
  if (iterInfo || attachType === 'trace_iter') return attachIter(program, iterInfo ? { iterInfo } : {});
  switch (type) {
    case 'raw_tracepoint':
    case 'raw_tracepoint_writable':
      return attachRawTracepoint(program, targetOf(program, 'tracepoint'), cookies);
    case 'tracepoint':
      return attachTracepoint(program, targetOf(program, 'tracepoint'), cookies);
    case 'tracing':
      if (!attachType?.endsWith('_multi')) return attachTracing(program, cookies);
      return attachTracingMulti(program, {
        functions: [targetOf(program, 'function')],
        ...(cookie !== undefined && { cookies: [BigInt(cookie)] }),
      });
    case 'ext':
      return attachExt(program);
    case 'lsm':
      if (attachType !== 'lsm_cgroup') return attachLsm(program, cookies);
      break;
    case 'kprobe':
      if (attachType === undefined) return kprobe(program, { ...cookies, retprobe });
      if (attachType.startsWith('trace_kprobe_'))
        return attachKprobeMulti(program, {
          symbols: [targetOf(program, 'function')],
          ...(cookie !== undefined && { cookies: [BigInt(cookie)] }),
          retprobe,
        });
  }
  throw notAttachable(program);
}

/** `vfs_read`, or `vfs_read+0x10`, as in libbpf's section names. */
function kprobe(program: Attachable, options: { readonly retprobe: boolean; readonly cookie?: number | bigint }): Link {
  const target = targetOf(program, 'function');
  const [, func = target, offset = '0'] = target.match(/^(.+)\+(0x[0-9a-f]+|\d+)$/i) ?? [];
  return attachKprobe(program, func, { ...options, offset: Number(offset) });
}

function targetOf({ spec: { name, attachTo } }: Attachable, what: string): string {
  if (attachTo !== undefined) return attachTo;
  throw new ProgramError('NO_TARGET', `program '${name}' does not say which ${what} it attaches to (attachTo)`);
}

/** What attaches those whose place is not in their spec. */
const others: readonly (readonly [types: RegExp, functions: string])[] = [
  [/^xdp$/, 'attachXdp'],
  [/^sched_cls$/, 'attachTc or attachNetkit'],
  [/^cgroup_|^sock_ops$|^lsm$/, 'attachCgroup'],
  [/^(sk_lookup|flow_dissector)$/, 'attachNetns'],
  [/^(sk_skb|sk_msg)$/, 'attachSockmap'],
  [/^socket_filter$/, 'attachSocketFilter or attachReuseport'],
  [/^sk_reuseport$/, 'attachReuseport'],
  [/^netfilter$/, 'attachNetfilter'],
  [/^lwt_/, 'attachLwt'],
  [/^perf_event$/, 'attachPerfEvent'],
  [/^struct_ops$/, 'attachStructOps'],
  [/^kprobe$/, 'attachUprobeMulti'],
];

function notAttachable({ spec: { name, type } }: Attachable): ProgramError {
  const [, functions] = others.find(([types]) => types.test(type)) ?? [];
  const why = functions
    ? `attaches to something that its spec does not name: use ${functions}`
    : 'has nothing that it attaches to';
  return new ProgramError('NOT_ATTACHABLE', `program '${name}', a ${type}, ${why}`);
}
