// How each kind of attachment is tried without attaching anything.
import { linkCreate, perfEventOpen, rawTracepointOpen, tracepointId } from '@bpf/sys';
import { makeStructOps } from './map-type.ts';
import { loadMinimal } from './minimal.ts';
import { type AttachWay, event, onFile, onFolder, onInterface, onSymbol, withProgram } from './nowhere.ts';

/** In every network namespace, and without a driver that takes XDP programs: asking for that attaches nothing. */
const LOOPBACK = 1;
const XDP_DRIVER_MODE = 4;

export type AttachKind =
  | 'raw_tracepoint'
  | 'tracepoint'
  | 'tracing_multi'
  | 'kprobe'
  | 'uprobe'
  | 'perf_event'
  | 'kprobe_multi'
  | 'kprobe_session'
  | 'uprobe_multi'
  | 'uprobe_session'
  | 'cgroup'
  | 'cgroup_unix'
  | 'netns'
  | 'sockmap'
  | 'xdp'
  | 'tcx'
  | 'netkit'
  | 'netfilter'
  | 'struct_ops';

/** Kinds whose place is named when they are attached. */
export const attachWays: Readonly<Record<AttachKind, AttachWay>> = {
  raw_tracepoint: {
    what: 'raw tracepoints',
    run: () => withProgram('raw_tracepoint', undefined, (prog) => rawTracepointOpen({ prog, name: 'bpf_no_such' })),
    exists: ['ENOENT'],
    config: 'CONFIG_BPF_EVENTS',
  },
  tracepoint: {
    what: 'perf events of tracepoints',
    run: () => {
      perfEventOpen({ type: 'tracepoint', config: tracepointId('sched', 'sched_switch'), disabled: true }).close();
      return true;
    },
    config: 'CONFIG_PERF_EVENTS and CONFIG_TRACEPOINTS',
  },
  kprobe: {
    what: 'perf events of kprobes',
    ...event('kprobe', 'bpf_no_such_function'),
    config: 'CONFIG_KPROBE_EVENTS',
  },
  uprobe: {
    what: 'perf events of uprobes',
    ...event('uprobe', '/proc/self/no_such_file'),
    config: 'CONFIG_UPROBE_EVENTS',
  },
  tracing_multi: {
    what: 'links of tracing_multi',
    // Its functions are said by the link: before, a tracing program had to be loaded for one.
    run: () => loadMinimal('tracing', { expectedAttachType: 'trace_fentry_multi' }),
    since: '7.2',
    config: 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS',
  },
  perf_event: { what: 'links of perf events', ...onFile('perf_event', 'perf_event', 'none'), since: '5.15' },
  kprobe_multi: {
    what: 'links of kprobe_multi',
    ...onSymbol('trace_kprobe_multi'),
    since: '5.18',
    config: 'CONFIG_FPROBE',
  },
  kprobe_session: {
    what: 'links of kprobe_session',
    ...onSymbol('trace_kprobe_session'),
    since: '6.10',
    config: 'CONFIG_FPROBE',
  },
  uprobe_multi: {
    what: 'links of uprobe_multi',
    ...onFolder('trace_uprobe_multi'),
    since: '6.6',
    config: 'CONFIG_UPROBES',
  },
  uprobe_session: {
    what: 'links of uprobe_session',
    ...onFolder('trace_uprobe_session'),
    since: '6.13',
    config: 'CONFIG_UPROBES',
  },
  cgroup: { what: 'links of cgroups', ...onFile('cgroup_skb', 'cgroup_inet_egress'), config: 'CONFIG_CGROUP_BPF' },
  cgroup_unix: {
    what: 'cgroup programs for AF_UNIX',
    ...onFile('cgroup_sock_addr', 'cgroup_unix_connect'),
    since: '6.7',
    config: 'CONFIG_CGROUP_BPF',
  },
  netns: { what: 'links of network namespaces', ...onFile('flow_dissector', 'flow_dissector'), config: 'CONFIG_NET' },
  sockmap: { what: 'links of sockmaps', ...onFile('sk_msg', 'sk_msg_verdict'), since: '6.10' },
  xdp: {
    what: 'links of XDP',
    run: () =>
      withProgram('xdp', undefined, (prog) =>
        linkCreate({ prog, attachType: 'xdp', ifindex: LOOPBACK, flags: XDP_DRIVER_MODE }),
      ),
    exists: ['EOPNOTSUPP', 'EEXIST', 'EBUSY'],
    config: 'CONFIG_NET',
  },
  tcx: { what: 'links of tcx', ...onInterface('tcx_ingress'), since: '6.6', config: 'CONFIG_NET_XGRESS' },
  netkit: { what: 'links of netkit', ...onInterface('netkit_primary'), since: '6.7', config: 'CONFIG_NETKIT' },
  netfilter: {
    what: 'links of netfilter',
    run: () =>
      withProgram('netfilter', 'netfilter', (prog) =>
        // No protocol family has number 0.
        linkCreate({ prog, attachType: 'netfilter', netfilter: { pf: 0, hooknum: 0, priority: 0 } }),
      ),
    exists: ['EAFNOSUPPORT'],
    since: '6.4',
    config: 'CONFIG_NETFILTER_BPF_LINK',
  },
  struct_ops: {
    what: 'links of struct_ops',
    run: () => {
      const map = makeStructOps('struct_ops', ['link']);
      map?.close();
      return map !== undefined;
    },
    since: '6.4',
    config: 'CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF',
  },
};
