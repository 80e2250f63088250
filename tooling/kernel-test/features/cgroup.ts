import { linkCreate, progLoad } from '@bpf/sys';
import { withCgroup } from '../cgroup.ts';
import type { Feature } from '../harness.ts';
import { bpfSyscall, idInBtf, inBtf, linkProbe, RETURN_1 } from './probe.ts';

/** Links on cgroups: Linux 5.7. */
export const cgroupLinks: Feature = { ...bpfSyscall, name: 'attach/cgroup' };

/** LSM hooks for the processes of a cgroup: Linux 6.0. */
export const attachLsmCgroup: Feature = {
  name: 'attach/lsm_cgroup',
  probe: () =>
    inBtf('func', 'bpf_lsm_socket_bind') ??
    linkProbe('lsm_cgroup links', () => {
      using prog = progLoad({
        type: 'lsm',
        expectedAttachType: 'lsm_cgroup',
        attachBtfId: idInBtf('func', 'bpf_lsm_socket_bind'),
        insns: RETURN_1,
        license: 'GPL',
      });
      withCgroup((target) => linkCreate({ prog, attachType: 'lsm_cgroup', target }).close());
    }),
};

/** Hooks of AF_UNIX on cgroups: Linux 6.7. */
export const attachCgroupUnix: Feature = {
  name: 'attach/cgroup_unix',
  probe: () =>
    linkProbe('hooks of AF_UNIX on cgroups', () => {
      const attachType = 'cgroup_unix_connect';
      using prog = progLoad({
        type: 'cgroup_sock_addr',
        expectedAttachType: attachType,
        insns: RETURN_1,
        license: 'GPL',
      });
      withCgroup((target) => linkCreate({ prog, attachType, target }).close());
    }),
};
