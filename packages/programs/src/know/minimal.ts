// The least that the kernel takes of each type, for probes.
import { assemble, exit, mov } from '@bpf/insn';
import { type AttachType, type ProgLoadOptions, type ProgType, progLoad } from '@bpf/sys';
import { kernelBtf } from '../kernel-btf.ts';

export interface Minimal {
  /** The attach type that a program of this type must be loaded for. */
  readonly attachType?: AttachType;
  readonly flags?: ProgLoadOptions['flags'];
  /** It wants a target in the kernel's types, and says so when it gets none. */
  readonly wantsTarget?: true;
  readonly config: string;
}

const NET = { config: 'CONFIG_NET' };
const CGROUP = { config: 'CONFIG_CGROUP_BPF' };
const EVENTS = { config: 'CONFIG_BPF_EVENTS' };
const LWT = { config: 'CONFIG_LWTUNNEL_BPF' };
const INET = { config: 'CONFIG_INET' };
const JIT = { config: 'CONFIG_BPF_JIT and CONFIG_DEBUG_INFO_BTF' };

/** Every type of program. */
export const progTypes: Readonly<Record<ProgType, Minimal>> = {
  socket_filter: NET,
  kprobe: EVENTS,
  sched_cls: NET,
  sched_act: NET,
  tracepoint: EVENTS,
  xdp: NET,
  perf_event: EVENTS,
  cgroup_skb: CGROUP,
  cgroup_sock: CGROUP,
  lwt_in: LWT,
  lwt_out: LWT,
  lwt_xmit: LWT,
  sock_ops: NET,
  sk_skb: NET,
  cgroup_device: CGROUP,
  sk_msg: NET,
  raw_tracepoint: EVENTS,
  cgroup_sock_addr: { ...CGROUP, attachType: 'cgroup_inet4_connect' },
  lwt_seg6local: LWT,
  lirc_mode2: { config: 'CONFIG_BPF_LIRC_MODE2' },
  sk_reuseport: INET,
  flow_dissector: NET,
  cgroup_sysctl: CGROUP,
  raw_tracepoint_writable: EVENTS,
  cgroup_sockopt: { ...CGROUP, attachType: 'cgroup_getsockopt' },
  tracing: { ...EVENTS, wantsTarget: true },
  struct_ops: { ...JIT, wantsTarget: true },
  ext: { ...JIT, wantsTarget: true },
  lsm: { config: 'CONFIG_BPF_LSM', wantsTarget: true },
  sk_lookup: { ...INET, attachType: 'sk_lookup' },
  syscall: { config: 'CONFIG_BPF_SYSCALL', flags: ['sleepable'] },
  netfilter: { config: 'CONFIG_NETFILTER_BPF_LINK', attachType: 'netfilter' },
};

export const progTypeNames = Object.keys(progTypes) as ProgType[];

/** `r0 = VALUE; exit`. */
export function returns(value: number): Uint8Array {
  return assemble([mov('r0', value), exit()]);
}

/** Loads a program of a type and closes it. @returns true @throws as progLoad */
export function loadMinimal(type: ProgType, more: Partial<ProgLoadOptions> = {}): true {
  progLoad(minimal(type, more)).close();
  return true;
}

export function minimal(type: ProgType, more: Partial<ProgLoadOptions> = {}): ProgLoadOptions {
  const { attachType, flags } = progTypes[type];
  return {
    type,
    insns: returns(0),
    license: 'GPL',
    ...(attachType && { expectedAttachType: attachType }),
    ...(flags && { flags }),
    ...more,
  };
}

/** What is tried where a target in the kernel's types is wanted: none of these does anything when a program is on it. */
const targets = {
  trace_fentry: ['func', '', 'bpf_fentry_test1'],
  trace_fexit: ['func', '', 'bpf_fentry_test1'],
  trace_fsession: ['func', '', 'bpf_fentry_test1'],
  modify_return: ['func', '', 'security_task_setnice'],
  trace_raw_tp: ['typedef', 'btf_trace_', 'sched_process_fork'],
  trace_iter: ['func', 'bpf_iter_', 'task'],
  lsm_mac: ['func', 'bpf_lsm_', 'file_open'],
  lsm_cgroup: ['func', 'bpf_lsm_', 'socket_bind'],
} as const;
/** Attach types whose programs are loaded for a target in the kernel's types. */
export type TargetedType = keyof typeof targets;

export function isTargeted(attachType: string): attachType is TargetedType {
  return Object.hasOwn(targets, attachType);
}

/** How a target is spelled in BTF, for sentences. */
export function targetName(attachType: TargetedType, target: string = targets[attachType][2]): string {
  return targets[attachType][1] + target;
}

/**
 * What to load a program for: a target by its name, or one that every kernel has. Undefined when this kernel's types have none.
 *
 * @throws UnavailableError when this kernel shows no types
 */
export function loadFor(
  attachType: TargetedType,
  target?: string,
): { readonly expectedAttachType: AttachType; readonly attachBtfId: number } | undefined {
  const attachBtfId = kernelBtf().find(targets[attachType][0], targetName(attachType, target));
  return attachBtfId === undefined ? undefined : { expectedAttachType: attachType, attachBtfId };
}
