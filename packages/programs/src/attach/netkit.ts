import { type LinkOrder, SysError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { ifindexOf, type NetInterface } from './interface.ts';
import { type Attachable, createLink, needing } from './make.ts';

export type NetkitOptions = NetInterface & {
  /** For what the peer sends, whose device may be in another network namespace; the primary device unless told. */
  readonly peer?: boolean;
  /** Before or after another program or link of the device; after all unless told. */
  readonly order?: LinkOrder;
};

/**
 * Attaches a sched_cls program to a netkit device, for what it or its peer sends. Linux 6.7, CONFIG_NETKIT. Needs
 * CAP_NET_ADMIN.
 *
 * @throws ProgramError `NO_TARGET` when the interface is no netkit device; SysError 'ENODEV', 'EACCES' for the peer itself;
 *   UnavailableError
 * @example
 * ```ts
 * using link = attachNetkit(program, { interface: 'nk0', peer: true });
 * ```
 */
export function attachNetkit(program: Attachable, options: NetkitOptions): Link {
  const { peer = false, order } = options;
  const ifindex = ifindexOf(options);
  const attachType = peer ? 'netkit_peer' : 'netkit_primary';
  try {
    return needing({ what: 'netkit links', since: '6.7', config: 'CONFIG_NETKIT=y' }, () =>
      createLink({ prog: program, attachType, ifindex, ...(order && { order }) }),
    );
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'ENXIO') throw error;
    const name = options.interface ?? `${ifindex}`;
    throw new ProgramError('NO_TARGET', `interface '${name}' is no netkit device: add one with ip(8)`, error);
  }
}
