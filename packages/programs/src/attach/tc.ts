import type { LinkOrder } from '@bpf/sys';
import {
  type TcDirection,
  tcClsactAdd,
  tcClsactDelete,
  tcFilterAdd,
  tcFilterDelete,
  tcFilterList,
} from '@bpf/sys/netlink';
import { Link } from '../link.ts';
import { ifindexOf, type NetInterface } from './interface.ts';
import { type Attachable, createLink, ignoreGone, linkElse, needing } from './make.ts';

export type TcOptions = NetInterface & {
  readonly direction: TcDirection;
  /** Before or after another program or link of the interface; after all unless told. Linux 6.6. */
  readonly order?: LinkOrder;
  /** 'netlink' for the older way: a filter that tc(8) shows, in a clsact that is added where there is none, and stays. */
  readonly how?: 'netlink';
};

/**
 * Attaches a sched_cls program to what comes in or goes out through a network interface. What it returns is done with the
 * packet (TC_ACT_OK 0, TC_ACT_SHOT 2). Linux 4.5: by a tcx link since 6.6, else by netlink, where closing the link deletes
 * the filter, and the end of the process does not. Needs CAP_NET_ADMIN. By netlink, it is to be
 * closed in the network namespace that it was made in.
 *
 * @throws SysError 'ENODEV'; UnavailableError
 * @example
 * ```ts
 * using link = attachTc(program, { interface: 'eth0', direction: 'ingress', order: { before: 'all' } });
 * ```
 */
export function attachTc(program: Attachable, options: TcOptions): Link {
  const { direction, order, how } = options;
  const ifindex = ifindexOf(options);
  if (direction !== 'ingress' && direction !== 'egress')
    throw new RangeError(`'${direction}' is not a direction; they are ingress, egress`);
  if (order && how) throw new RangeError('an order goes with a link: leave out `how`');
  const tcx = (): Link =>
    createLink({ prog: program, attachType: `tcx_${direction}`, ifindex, ...(order && { order }) });
  const netlink = (): Link => byNetlink(program, ifindex, direction);
  if (how) return netlink();
  return order ? needing({ what: 'orders of TC programs', since: '6.6' }, tcx) : linkElse(tcx, netlink);
}

function byNetlink(program: Attachable, ifindex: number, direction: TcDirection): Link {
  const place = { ifindex, direction };
  const made = tcClsactAdd(ifindex);
  try {
    const filter = tcFilterAdd({ ...place, prog: program, name: program.spec.name });
    const detach = (): void =>
      ignoreGone(['ENODEV', 'ENOENT', 'EINVAL'], () => tcFilterDelete({ ...place, ...filter }));
    return new Link('netlink', undefined, { detach });
  } catch (error) {
    // Somebody may have added filters meanwhile.
    const used = (['ingress', 'egress'] as const).some((way) => tcFilterList(ifindex, way).length > 0);
    if (made && !used) tcClsactDelete(ifindex);
    throw error;
  }
}
