import type { HasFd } from '@bpf/sys';
import { type XdpMode, xdpAttach, xdpDetach } from '@bpf/sys/netlink';
import { Link } from '../link.ts';
import { ifindexOf, type NetInterface } from './interface.ts';
import { type Attachable, createLink, ignoreGone, linkElse } from './make.ts';
import { duplicate } from './syscalls.ts';

export type XdpOptions = NetInterface & {
  /** Generic ('skb'), in the driver or on the device; the driver where it can, else generic, unless told. */
  readonly mode?: XdpMode;
  /** 'netlink' for the older way, which shares an interface with programs such as ip(8), and takes no link's place. */
  readonly how?: 'netlink';
};

/** XDP_FLAGS_*_MODE. */
const flags: Readonly<Record<XdpMode, number>> = { skb: 2, drv: 4, hw: 8 };

/**
 * Attaches an XDP program to a network interface. Linux 4.8: by a link since 5.9, else by netlink, where closing the link
 * detaches, and the end of the process does not. Needs CAP_NET_ADMIN. By netlink, it is to be
 * closed in the network namespace that it was made in.
 *
 * @throws SysError 'EBUSY' when a program is attached there, 'EEXIST' when one is in another mode, 'EOPNOTSUPP' when the
 *   driver lacks the mode, 'ENODEV'; UnavailableError
 * @example
 * ```ts
 * using link = attachXdp(program, { interface: 'eth0', mode: 'skb' });
 * ```
 */
export function attachXdp(program: Attachable, options: XdpOptions): Link {
  const { mode, how } = options;
  const ifindex = ifindexOf(options);
  if (mode !== undefined && !Object.hasOwn(flags, mode))
    throw new RangeError(`'${mode}' is not an XDP mode; they are ${Object.keys(flags).join(', ')}`);
  const netlink = (): Link => byNetlink(program, ifindex, mode);
  if (how) return netlink();
  return linkElse(
    () => createLink({ prog: program, attachType: 'xdp', ifindex, flags: mode ? flags[mode] : 0 }),
    netlink,
  );
}

function byNetlink(program: HasFd, ifindex: number, mode: XdpMode | undefined): Link {
  const place = { ifindex, ...(mode && { mode }) };
  let attached = duplicate(program);
  try {
    xdpAttach({ ...place, prog: program });
  } catch (error) {
    attached.close();
    throw error;
  }
  return new Link('netlink', undefined, {
    // EEXIST: somebody has put another program there.
    detach: () => ignoreGone(['ENODEV', 'EEXIST'], () => xdpDetach({ ...place, expected: attached })),
    update(next) {
      const copy = duplicate(next);
      try {
        xdpAttach({ ...place, prog: next, replace: attached });
      } catch (error) {
        copy.close();
        throw error;
      }
      attached.close();
      attached = copy;
    },
    owns: [{ [Symbol.dispose]: () => attached.close() }],
  });
}
