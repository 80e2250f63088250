import { fdNumber, type HasFd } from '../fd.ts';
import { ifindexOf, whyNotProg } from './check.ts';
import { ifinfomsg, linkByIndex, noInterface } from './interfaces.ts';
import { attrNested, attrU32, parseAttributes, readU32 } from './message.ts';
import { rtRequest } from './netlink.ts';

/** What a program's place is by: IFLA_XDP_*_PROG_ID, and XDP_FLAGS_*_MODE (linux/if_link.h). */
const modes = {
  drv: { progId: 5, flag: 4 },
  skb: { progId: 6, flag: 2 },
  hw: { progId: 7, flag: 8 },
} as const;
/** Where a program runs: in the device's driver, on the packet's buffer whatever the device, or on the device itself. */
export type XdpMode = keyof typeof modes;
const XDP_MODES = Object.keys(modes) as XdpMode[];

const IFLA_XDP = 43;
const IFLA_XDP_FD = 1;
const IFLA_XDP_FLAGS = 3;
const IFLA_XDP_EXPECTED_FD = 8;
const XDP_FLAGS_UPDATE_IF_NOEXIST = 1;
const XDP_FLAGS_REPLACE = 16;
const NO_PROG = -1;
const NOT_FOR_THE_DEVICE = "mode 'hw' is for a program that was loaded for this very device";

export interface XdpAttachOptions {
  readonly ifindex: number;
  /** A program of type xdp. */
  readonly prog: HasFd;
  /** When left out: 'drv' where the driver has it, else 'skb'. */
  readonly mode?: XdpMode;
  /** The program that is there now, and is to be replaced in one step. */
  readonly replace?: HasFd;
}

/**
 * RTM_SETLINK with IFLA_XDP: attaches a program to an interface, which holds it from then on, until {@link xdpDetach} or
 * the end of the interface: closing the descriptor, or the end of this process, does not detach. A program that is there
 * already stays, unless it is the one to `replace`. Linux 4.12, `replace` 5.7; needs CAP_NET_ADMIN. From 5.9 on a link of
 * bpf(2) is the safer way.
 *
 * @throws SysError 'EBUSY' when there is a program, 'EEXIST' when there is one in another mode or another than `replace`,
 * 'EOPNOTSUPP' when the driver lacks the mode, 'ENODEV', 'EINVAL'; UnavailableError; RangeError
 * @example
 * ```ts
 * using prog = progLoad({ type: 'xdp', insns, license: 'GPL' });
 * xdpAttach({ ifindex: ifIndex('eth0'), prog, mode: 'skb' });
 * ```
 */
export function xdpAttach({ ifindex, prog, mode, replace }: XdpAttachOptions): void {
  setXdp(ifindex, fdNumber(prog), mode, replace, replace ? 0 : XDP_FLAGS_UPDATE_IF_NOEXIST);
}

export interface XdpDetachOptions {
  readonly ifindex: number;
  /** When left out: wherever there is a program. */
  readonly mode?: XdpMode;
  /** Detach this program and no other. */
  readonly expected?: HasFd;
}

/**
 * RTM_SETLINK with IFLA_XDP: detaches the program from an interface, whoever attached it, unless `expected` says which.
 * Without a program there, and without `expected`, it does nothing. Linux 4.12, `expected` 5.7; needs CAP_NET_ADMIN.
 *
 * @throws SysError 'EEXIST' when the program is not the expected one, 'EBUSY' when a link of bpf(2) holds it, 'ENODEV';
 * UnavailableError; RangeError
 * @example
 * ```ts
 * xdpDetach({ ifindex, expected: prog });
 * ```
 */
export function xdpDetach({ ifindex, mode, expected }: XdpDetachOptions): void {
  // The kernel takes no mode for the one that it would choose, and finds nothing when the program is in another.
  const attached = mode ? [mode] : (Object.keys(xdpQuery(ifindex).progIds) as XdpMode[]);
  for (const place of attached.length > 0 ? attached : [undefined]) setXdp(ifindex, NO_PROG, place, expected, 0);
}

export interface XdpState {
  /** Where a program is attached; 'multi' when it is in more than one place. */
  readonly mode: XdpMode | 'none' | 'multi';
  /** The program's id, when there is one. */
  readonly progId: number | undefined;
  /** The id of the program in each place that has one. */
  readonly progIds: Readonly<Partial<Record<XdpMode, number>>>;
}

/**
 * RTM_GETLINK: which XDP programs an interface has, also those that links of bpf(2) hold. Needs no privilege.
 *
 * @throws SysError 'ENODEV'; RangeError; UnavailableError
 * @example
 * ```ts
 * const { mode, progId } = xdpQuery(ifIndex('eth0'));
 * ```
 */
export function xdpQuery(ifindex: number): XdpState {
  const nested = linkByIndex(ifindex).attributes.get(IFLA_XDP);
  const attributes = parseAttributes(nested ?? new Uint8Array(0));
  const progIds: Partial<Record<XdpMode, number>> = {};
  for (const mode of XDP_MODES) {
    const id = readU32(attributes, modes[mode].progId);
    if (id) progIds[mode] = id;
  }
  const [mode = 'none', ...more] = Object.keys(progIds) as XdpMode[];
  if (more.length > 0) return { mode: 'multi', progId: undefined, progIds };
  return { mode, progId: mode === 'none' ? undefined : progIds[mode], progIds };
}

function setXdp(ifindex: number, fd: number, mode: XdpMode | undefined, old: HasFd | undefined, flags: number): void {
  if (mode !== undefined && !Object.hasOwn(modes, mode))
    throw new RangeError(`'${mode}' is not an XDP mode; they are ${XDP_MODES.join(', ')}`);
  const oldFd = old && fdNumber(old);
  const all = flags | (mode ? modes[mode].flag : 0) | (old ? XDP_FLAGS_REPLACE : 0);
  const attributes = [attrU32(IFLA_XDP_FD, fd), attrU32(IFLA_XDP_FLAGS, all)];
  if (oldFd !== undefined) attributes.push(attrU32(IFLA_XDP_EXPECTED_FD, oldFd));
  rtRequest({
    command: 'RTM_SETLINK',
    parts: [ifinfomsg(ifindexOf(ifindex)), attrNested(IFLA_XDP, ...attributes)],
    explain(code, sentence) {
      if (code !== 'EINVAL' && code !== 'EBADF') return noInterface(ifindex)(code, sentence);
      const given = [fd, oldFd ?? NO_PROG].filter((each) => each !== NO_PROG);
      const [why] = given.flatMap((each) => whyNotProg(each, 'xdp') ?? []);
      return why ?? (mode === 'hw' && sentence === '' ? NOT_FOR_THE_DEVICE : undefined);
    },
  });
}
