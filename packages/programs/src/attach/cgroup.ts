import { type AttachType, fileOpen, type HasFd, type LinkOrder, mountOf, O_RDONLY, SysError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink, linkElse, needing } from './make.ts';
import { byProgAttach } from './prog-attach.ts';

export interface CgroupOptions {
  /** Before or after another link of the cgroup; after all unless told. Linux 6.17. */
  readonly order?: LinkOrder;
  /** 'BPF_PROG_ATTACH' for the older way, with BPF_F_ALLOW_MULTI. */
  readonly how?: 'BPF_PROG_ATTACH';
}

/** The attach type of program types that have only one. Others say it in their spec. */
const only: Readonly<Record<string, AttachType>> = {
  cgroup_device: 'cgroup_device',
  cgroup_sysctl: 'cgroup_sysctl',
  sock_ops: 'cgroup_sock_ops',
};

/**
 * Attaches a program to a cgroup of version 2, for the processes in it and below: cgroup_skb, cgroup_sock,
 * cgroup_sock_addr, cgroup_sockopt, cgroup_device, cgroup_sysctl, sock_ops, and lsm as `lsm_cgroup` (Linux 6.0). Linux
 * 4.10: by a link since 5.7, else by BPF_PROG_ATTACH with BPF_F_ALLOW_MULTI, where closing the link detaches, and the end of
 * the process does not.
 *
 * @param cgroup the path of its directory, or a descriptor of that
 * @throws ProgramError `NO_TARGET` when it is no cgroup of version 2; SysError 'EPERM' when a program that shares the cgroup
 *   with no other is attached there; UnavailableError
 * @example
 * ```ts
 * using link = attachCgroup(program, '/sys/fs/cgroup/user.slice');
 * ```
 */
export function attachCgroup(program: Attachable, cgroup: string | HasFd, options: CgroupOptions = {}): Link {
  const { type, name, attachType = only[type] } = program.spec;
  if (attachType === undefined)
    throw new ProgramError(
      'NOT_ATTACHABLE',
      `program '${name}', a ${type}, does not say what of a cgroup it attaches to (attachType), such as 'cgroup_inet_egress'`,
    );
  if (options.order && options.how) throw new RangeError('an order goes with a link: leave out `how`');
  const opened = typeof cgroup === 'string' ? fileOpen(cgroup, O_RDONLY) : undefined;
  try {
    return attachTo(program, attachType, opened ?? (cgroup as HasFd), options);
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'EBADF') throw error;
    const what = typeof cgroup === 'string' ? `'${cgroup}'` : `descriptor ${cgroup.fd}`;
    const where = mountOf('cgroup2') ?? 'none, mount it with "mount -t cgroup2 cgroup2 /sys/fs/cgroup"';
    throw new ProgramError(
      'NO_TARGET',
      `${what} is no cgroup of version 2: those are directories below ${where}`,
      error,
    );
  } finally {
    opened?.close();
  }
}

function attachTo(prog: Attachable, attachType: AttachType, target: HasFd, { order, how }: CgroupOptions): Link {
  const older = (): Link => byProgAttach(prog, { target, attachType, flag: 'allow_multi' });
  if (how) return older();
  if (order)
    return needing({ what: 'orders of programs of a cgroup', since: '6.17' }, () =>
      createLink({ prog, attachType, target, order }),
    );
  return linkElse(() => createLink({ prog, attachType, target }), older);
}
