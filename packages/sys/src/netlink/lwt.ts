import { fdNumber, type HasFd } from '../fd.ts';
import { addressBytes, prefixOf } from './address.ts';
import { ifindexOf, whyNotProg } from './check.ts';
import type { Explain } from './error.ts';
import { attr, attrNested, attrString, attrU32 } from './message.ts';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, rtRequest } from './netlink.ts';

// linux/rtnetlink.h
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const AF_INET = 2;
const AF_INET6 = 10;
// linux/lwtunnel.h and linux/seg6_local.h
const LWTUNNEL_ENCAP_BPF = 6;
const LWTUNNEL_ENCAP_SEG6_LOCAL = 7;
const PROG_FD = 1;
const PROG_NAME = 2;
const SEG6_LOCAL_ACTION = 1;
const SEG6_LOCAL_BPF = 8;
const SEG6_LOCAL_ACTION_END_BPF = 15;
const MAX_NAME = 256;

/** LWT_BPF_IN, LWT_BPF_OUT and LWT_BPF_XMIT. */
const hooks = { lwt_in: 1, lwt_out: 2, lwt_xmit: 3 } as const;
/** Programs that run on the packets of a route. */
export type LwtProgType = keyof typeof hooks | 'lwt_seg6local';

/** A route: where packets go to, and through which interface. */
export interface LwtRoute {
  /** A network or one address: '10.1.0.0/16', 'fc00:1::1'. */
  readonly to: string;
  readonly ifindex: number;
  /** The next router's address; without it, what they go to is on the interface's own network. */
  readonly via?: string;
}

/**
 * RTM_NEWROUTE with RTA_ENCAP: adds a route to the main table, on whose packets a program runs: those that come in to be
 * routed on (lwt_in), that go out (lwt_out, lwt_xmit), or that come to a segment of SRv6 (lwt_seg6local, whose route is of
 * IPv6). The route holds the program until {@link lwtRouteDelete}: the end of this process does not. Linux 4.10
 * (CONFIG_LWTUNNEL_BPF), lwt_seg6local 4.18 (CONFIG_IPV6_SEG6_BPF); needs CAP_NET_ADMIN.
 *
 * @param options.name what ip(8) shows, at most 255 bytes: the kernel takes programs of one name for the same one
 * @param options.replace takes the place of the route that is there
 * @throws SysError 'EEXIST' when there is such a route, 'EINVAL' for a program of another type, 'ENETDOWN', 'ENODEV';
 *   UnavailableError; RangeError
 * @example
 * ```ts
 * using prog = progLoad({ type: 'lwt_out', insns, license: 'GPL' });
 * lwtRouteAdd({ to: '10.1.0.0/16', ifindex, prog, type: 'lwt_out', name: 'count' });
 * lwtRouteDelete({ to: '10.1.0.0/16', ifindex });
 * ```
 */
export function lwtRouteAdd(
  options: LwtRoute & {
    readonly prog: HasFd;
    readonly type: LwtProgType;
    readonly name: string;
    readonly replace?: boolean;
  },
): void {
  const { prog, type, name, replace = false } = options;
  const nameBytes = new TextEncoder().encode(name).byteLength;
  if (nameBytes >= MAX_NAME)
    throw new RangeError(`the name has ${nameBytes} bytes; a route's program has at most ${MAX_NAME - 1}`);
  if (type !== 'lwt_seg6local' && !Object.hasOwn(hooks, type))
    throw new RangeError(
      `'${type}' is not a type for routes; they are ${Object.keys(hooks).join(', ')}, lwt_seg6local`,
    );
  const program = [attrU32(PROG_FD, fdNumber(prog)), attrString(PROG_NAME, name)];
  const [encap, content] =
    type === 'lwt_seg6local'
      ? [
          LWTUNNEL_ENCAP_SEG6_LOCAL,
          [attrU32(SEG6_LOCAL_ACTION, SEG6_LOCAL_ACTION_END_BPF), attrNested(SEG6_LOCAL_BPF, ...program)],
        ]
      : [LWTUNNEL_ENCAP_BPF, [attrNested(hooks[type], ...program)]];
  rtRequest({
    command: 'RTM_NEWROUTE',
    flags: NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL),
    parts: [...routeParts(options), attr(RTA_ENCAP_TYPE, Uint8Array.of(encap, 0)), attrNested(RTA_ENCAP, ...content)],
    explain: explain(options.to, fdNumber(prog), type),
  });
}

/**
 * RTM_DELROUTE: deletes a route of the main table.
 *
 * @throws SysError 'ESRCH' when there is none; UnavailableError; RangeError
 */
export function lwtRouteDelete(route: LwtRoute): void {
  rtRequest({ command: 'RTM_DELROUTE', parts: routeParts(route) });
}

/** struct rtmsg (family 0, dst_len 1, table 4, protocol 5, scope 6, type 7) and which route it is. */
function routeParts({ to, ifindex, via }: LwtRoute): Uint8Array[] {
  const { address, bits } = prefixOf(to);
  const gateway = via === undefined ? undefined : addressBytes(via);
  if (gateway && gateway.length !== address.length)
    throw new RangeError(`'${to}' and '${via}' are addresses of two families; a route has one`);
  const family = address.length === 4 ? AF_INET : AF_INET6;
  const scope = family === AF_INET && !gateway ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  const rtmsg = Uint8Array.of(family, bits, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, 0, 0, 0, 0);
  return [
    rtmsg,
    attr(RTA_DST, address),
    attrU32(RTA_OIF, ifindexOf(ifindex)),
    ...(gateway ? [attr(RTA_GATEWAY, gateway)] : []),
  ];
}

function explain(to: string, fd: number, type: LwtProgType): Explain {
  return (code, sentence) => {
    if (code === 'EEXIST') return `there is a route to ${to} already: delete it, or replace it`;
    if (code === 'EINVAL' || code === 'EBADF') return whyNotProg(fd, type);
    if (code === 'EOPNOTSUPP') {
      const config = type === 'lwt_seg6local' ? 'CONFIG_IPV6_SEG6_BPF' : 'CONFIG_LWTUNNEL_BPF';
      return { unavailable: `this kernel has no ${type} routes (${sentence}): it needs ${config}.` };
    }
    return undefined;
  };
}
