import { progLoad, SysError, UnavailableError } from '@bpf/sys';
import type { Feature } from '../harness.ts';
import { bpfSyscall, idInBtf, inBtf, RETURN_0 } from './probe.ts';

/** A congestion control of TCP: Linux 5.6. */
export const attachStructOps: Feature = {
  name: 'attach/struct_ops',
  probe() {
    const missing = bpfSyscall.probe() ?? inBtf('struct', 'bpf_struct_ops_tcp_congestion_ops');
    if (missing !== undefined) return missing;
    // The first member is no function, which is EINVAL or EACCES, unless the type itself is refused.
    try {
      const attachBtfId = idInBtf('struct', 'tcp_congestion_ops');
      progLoad({ type: 'struct_ops', attachBtfId, expectedAttachType: 0, insns: RETURN_0, license: 'GPL' }).close();
    } catch (error) {
      if (error instanceof UnavailableError || !(error instanceof SysError)) throw error;
    }
    return undefined;
  },
};

/** Schedulers of tasks (Linux 6.12, CONFIG_SCHED_CLASS_EXT) and of packets (6.16, CONFIG_NET_SCH_BPF). */
export const structOpsSched: Feature = ops('sched_ext_ops');
export const structOpsQdisc: Feature = ops('Qdisc_ops');
/** What the kernel tests struct_ops with: Linux 5.16. */
export const structOpsDummy: Feature = ops('bpf_dummy_ops');

function ops(name: string): Feature {
  return {
    name: `attach/struct_ops/${name}`,
    probe: () => attachStructOps.probe() ?? inBtf('struct', `bpf_struct_ops_${name}`),
  };
}
