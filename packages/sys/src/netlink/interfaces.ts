import { LE } from '../memory.ts';
import { ifindexOf } from './check.ts';
import type { Explain } from './error.ts';
import { attrString, type NlAttributes, parseAttributes, structOf } from './message.ts';
import { rtGet } from './netlink.ts';

const IFLA_IFNAME = 3;
const IFLA_ALT_IFNAME = 53;
const IFNAMSIZ = 16;
const ALTIFNAMSIZ = 128;
/** struct ifinfomsg: ifi_family 0, ifi_type 2, ifi_index 4, ifi_flags 8, ifi_change 12. */
const IFINFOMSG_BYTES = 16;

/** What RTM_GETLINK says of an interface. */
export interface LinkMessage {
  readonly ifindex: number;
  readonly attributes: NlAttributes;
}

/**
 * The number of the interface of this name, or alternative name, in the network namespace of the calling thread: what
 * if_nametoindex(3) returns.
 *
 * @throws SysError 'ENODEV' when there is none; RangeError for what is no name; UnavailableError
 * @example
 * ```ts
 * const ifindex = ifIndex('eth0');
 * ```
 */
export function ifIndex(name: string): number {
  const bytes = new TextEncoder().encode(name).byteLength;
  if (bytes === 0 || bytes >= ALTIFNAMSIZ)
    throw new RangeError(`the name of an interface has 1 to ${ALTIFNAMSIZ - 1} bytes; '${name}' has ${bytes}`);
  const attribute = attrString(bytes < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
  const missing = `there is no interface '${name}' in this network namespace`;
  return getLink([ifinfomsg(0), attribute], (code) => (code === 'ENODEV' ? missing : undefined)).ifindex;
}

/** RTM_GETLINK of one interface, by its number. */
export function linkByIndex(ifindex: number): LinkMessage {
  return getLink([ifinfomsg(ifindexOf(ifindex))], noInterface(ifindex));
}

/** struct ifinfomsg with nothing but the number of the interface. */
export function ifinfomsg(ifindex: number): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_BYTES);
  new DataView(bytes.buffer).setInt32(4, ifindex, LE);
  return bytes;
}

/** The sentence for an interface that is not there, which the kernel says with a bare ENODEV or EINVAL. */
export function noInterface(ifindex: number): Explain {
  return (code) => (code === 'ENODEV' ? `there is no interface ${ifindex} in this network namespace` : undefined);
}

function getLink(parts: readonly Uint8Array[], explain: Explain): LinkMessage {
  const answer = rtGet({ command: 'RTM_GETLINK', parts, explain });
  const ifindex = structOf(answer, IFINFOMSG_BYTES).getInt32(4, LE);
  return { ifindex, attributes: parseAttributes(answer.payload.subarray(IFINFOMSG_BYTES)) };
}
