import { ifIndex } from '@bpf/sys/netlink';

/** A network interface of this thread's network namespace, by its name or number. */
export type NetInterface =
  | { readonly interface: string; readonly ifindex?: never }
  | { readonly ifindex: number; readonly interface?: never };

/** @throws SysError 'ENODEV' when there is no interface of this name; RangeError */
export function ifindexOf(place: NetInterface): number {
  const number = place.interface === undefined ? place.ifindex : ifIndex(place.interface);
  if (Number.isInteger(number) && number > 0 && number <= 0x7fff_ffff) return number;
  throw new RangeError(`ifindex is ${number}; the number of an interface is in 1..2147483647`);
}
