import type { Link } from '../link.ts';
import { type Attachable, createLink, needing } from './make.ts';

/** NF_INET_* in lower case. */
const hooks = { pre_routing: 0, local_in: 1, forward: 2, local_out: 3, post_routing: 4 } as const;
/** NFPROTO_* in lower case. */
const families = { ipv4: 2, ipv6: 10 } as const;
const BPF_F_NETFILTER_IP_DEFRAG = 1;

export interface NetfilterOptions {
  readonly family: keyof typeof families;
  readonly hook: keyof typeof hooks;
  /** Programs run by rising priority, -2147483647..2147483646: iptables' filter table is 0. */
  readonly priority: number;
  /** It sees whole packets, put together from their fragments. Linux 6.6. */
  readonly defrag?: boolean;
}

/**
 * Attaches a netfilter program to a hook of this thread's network namespace: NF_DROP 0, NF_ACCEPT 1 is what it returns.
 * Linux 6.4, CONFIG_NETFILTER_BPF_LINK.
 *
 * @throws SysError 'EBUSY' when this priority is taken, 'ERANGE' for the first and last of all; RangeError; UnavailableError
 * @example
 * ```ts
 * using link = attachNetfilter(program, { family: 'ipv4', hook: 'local_in', priority: -100 });
 * ```
 */
export function attachNetfilter(program: Attachable, options: NetfilterOptions): Link {
  const { family, hook, priority, defrag = false } = options;
  const netfilter = {
    pf: known(families, family, 'family'),
    hooknum: known(hooks, hook, 'hook'),
    priority,
    flags: defrag ? BPF_F_NETFILTER_IP_DEFRAG : 0,
  };
  return needing({ what: 'netfilter links', since: '6.4', config: 'CONFIG_NETFILTER_BPF_LINK=y' }, () =>
    createLink({ prog: program, attachType: 'netfilter', netfilter }),
  );
}

function known(names: Readonly<Record<string, number>>, name: string, what: string): number {
  const number = Object.hasOwn(names, name) ? names[name] : undefined;
  if (number !== undefined) return number;
  throw new RangeError(`'${name}' is no ${what} of netfilter; they are ${Object.keys(names).join(', ')}`);
}
