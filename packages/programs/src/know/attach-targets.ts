// Kinds of attachment that are tried by loading a program for a target.
import type { ProgType } from '@bpf/sys';
import type { Asked } from './answer.ts';
import type { TargetedType } from './minimal.ts';

interface Targeted extends Asked {
  readonly type: ProgType;
  readonly attachType: TargetedType;
}

const TRAMPOLINE = 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS';

export type TargetedKind = 'fentry' | 'fexit' | 'fsession' | 'fmod_ret' | 'tp_btf' | 'iter' | 'lsm' | 'lsm_cgroup';

/** Kinds on something of the kernel's that the program is loaded for. */
export const targetedKinds: Readonly<Record<TargetedKind, Targeted>> = {
  fentry: { what: 'fentry programs', type: 'tracing', attachType: 'trace_fentry', config: TRAMPOLINE },
  fexit: { what: 'fexit programs', type: 'tracing', attachType: 'trace_fexit', config: TRAMPOLINE },
  fsession: {
    what: 'fsession programs',
    type: 'tracing',
    attachType: 'trace_fsession',
    since: '7.0',
    config: TRAMPOLINE,
  },
  fmod_ret: { what: 'fmod_ret programs', type: 'tracing', attachType: 'modify_return', config: TRAMPOLINE },
  tp_btf: { what: 'tp_btf programs', type: 'tracing', attachType: 'trace_raw_tp', config: 'CONFIG_BPF_EVENTS' },
  iter: { what: 'iterators', type: 'tracing', attachType: 'trace_iter', config: 'CONFIG_DEBUG_INFO_BTF' },
  lsm: { what: 'LSM programs', type: 'lsm', attachType: 'lsm_mac', config: 'CONFIG_BPF_LSM' },
  lsm_cgroup: {
    what: 'LSM programs of cgroups',
    type: 'lsm',
    attachType: 'lsm_cgroup',
    since: '6.0',
    config: 'CONFIG_BPF_LSM and CONFIG_CGROUP_BPF',
  },
};
