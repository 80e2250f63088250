import { type HasFd, progGetInfo } from '@bpf/sys';
import { type LwtProgType, type LwtRoute, lwtRouteAdd, lwtRouteDelete } from '@bpf/sys/netlink';
import { ProgramError } from '../error.ts';
import { Link } from '../link.ts';
import { ifindexOf, type NetInterface } from './interface.ts';
import { type Attachable, ignoreGone } from './make.ts';

/** The interface, and the packets that take the route: where to, and through which gateway. */
export type LwtOptions = NetInterface & Pick<LwtRoute, 'to' | 'via'>;

const TYPES: readonly string[] = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'] satisfies LwtProgType[];

/**
 * Attaches a program of type lwt_in, lwt_out, lwt_xmit (Linux 4.10) or lwt_seg6local (4.18) to a route, which is added, and
 * is deleted when the link is closed: the end of the process does not. What it returns is done with the packet (BPF_OK 0,
 * BPF_DROP 2, BPF_REDIRECT 7). There are no bpf_links of this kind. Needs CAP_NET_ADMIN, and is to be closed in the network
 * namespace that it was made in.
 *
 * @throws SysError 'EEXIST' when there is such a route, 'ENETDOWN', 'ENODEV'; ProgramError `NOT_ATTACHABLE` for programs of
 *   another type; UnavailableError; RangeError
 * @example
 * ```ts
 * using link = attachLwt(program, { to: '10.1.0.0/16', interface: 'eth0', via: '192.0.2.1' });
 * ```
 */
export function attachLwt(program: Attachable, options: LwtOptions): Link {
  const { type, name } = program.spec;
  if (!TYPES.includes(type))
    throw new ProgramError('NOT_ATTACHABLE', `program '${name}', a ${type}, does not attach to a route`);
  const { to, via } = options;
  const route: LwtRoute = { to, ifindex: ifindexOf(options), ...(via !== undefined && { via }) };
  const add = (prog: HasFd, replace: boolean): void =>
    // The kernel takes two programs for the same one when their names are, and would leave the first.
    lwtRouteAdd({ ...route, prog, type: type as LwtProgType, name: `${name} ${progGetInfo(prog).id}`, replace });
  add(program, false);
  return new Link('netlink', undefined, {
    detach: () => ignoreGone(['ESRCH', 'ENODEV'], () => lwtRouteDelete(route)),
    update: (next) => add(next, true),
  });
}
