import { fdNumber, type HasFd } from '../fd.ts';
import { LE } from '../memory.ts';
import { integer, whyNotProg } from './check.ts';
import type { Explain } from './error.ts';
import { linkByIndex } from './interfaces.ts';
import { attrNested, attrString, attrU32, parseAttributes, readString, readU32, structOf } from './message.ts';
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, rtDump, rtGet, rtRequest } from './netlink.ts';
import { noPlace, parentOf, TCA_KIND, TCMSG_BYTES, type TcDirection, tcmsg } from './tc.ts';

const TCA_OPTIONS = 2;
const TCA_CHAIN = 11;
const TCA_BPF_FD = 6;
const TCA_BPF_NAME = 7;
const TCA_BPF_FLAGS = 8;
const TCA_BPF_ID = 11;
const TCA_BPF_FLAG_ACT_DIRECT = 1;
const CLS_BPF_NAME_LEN = 256;
const ETH_P_ALL_BE = 0x0300;

/** Where filters are: those of one interface and direction. */
export interface TcPlace {
  readonly ifindex: number;
  readonly direction: TcDirection;
}

/** Which filter of a place it is. */
export interface TcFilterId {
  /** Filters run by rising priority, 1..65535. */
  readonly priority: number;
  /** Among those of one priority. */
  readonly handle: number;
}

export interface TcFilterAddOptions extends TcPlace, Partial<TcFilterId> {
  /** A program of type sched_cls. */
  readonly prog: HasFd;
  /** What tc(8) shows, at most 255 bytes. */
  readonly name: string;
}

export interface TcFilter extends TcFilterId {
  readonly name: string;
  /** The id of its program; undefined for a filter of classic BPF. */
  readonly progId: number | undefined;
  /** Whether what the program returns is what is done with the packet (TC_ACT_*), and not a class. */
  readonly directAction: boolean;
}

/**
 * RTM_NEWTFILTER: adds a filter of kind bpf in direct-action mode to an interface's clsact ({@link tcClsactAdd}): what
 * the program returns is what is done with the packet (TC_ACT_OK 0, TC_ACT_SHOT 2). The interface holds the program until
 * {@link tcFilterDelete}, or the end of the clsact: the end of this process does not detach. Linux 4.5; needs
 * CAP_NET_ADMIN and CONFIG_NET_CLS_BPF. From 6.6 on a tcx link of bpf(2) is the safer way.
 *
 * @returns what was given, and what the kernel chose for what was not: priorities from 49152 downwards, so that each runs
 * before those that were added earlier
 * @throws SysError 'EINVAL' without a clsact, or for a program of another type, 'EEXIST' when there is such a filter,
 * 'ENODEV'; UnavailableError; RangeError
 * @example
 * ```ts
 * using prog = progLoad({ type: 'sched_cls', insns, license: 'GPL' });
 * tcClsactAdd(ifindex);
 * const filter = tcFilterAdd({ ifindex, direction: 'ingress', prog, name: 'count' });
 * tcFilterDelete({ ifindex, direction: 'ingress', ...filter });
 * ```
 */
export function tcFilterAdd(options: TcFilterAddOptions): TcFilterId {
  const { prog, name } = options;
  const nameBytes = new TextEncoder().encode(name).byteLength;
  if (nameBytes >= CLS_BPF_NAME_LEN)
    throw new RangeError(`the name has ${nameBytes} bytes; a filter's has at most ${CLS_BPF_NAME_LEN - 1}`);
  const echo = rtGet({
    command: 'RTM_NEWTFILTER',
    flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO,
    parts: [
      filterMessage(options),
      attrString(TCA_KIND, 'bpf'),
      attrNested(
        TCA_OPTIONS,
        attrU32(TCA_BPF_FD, fdNumber(prog)),
        attrString(TCA_BPF_NAME, name),
        attrU32(TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT),
      ),
    ],
    explain: explainAdd(options),
  });
  return filterId(structOf(echo, TCMSG_BYTES));
}

/**
 * RTM_DELTFILTER: deletes one filter of kind bpf. Needs CAP_NET_ADMIN.
 *
 * @throws SysError 'ENOENT' when there is no such filter, 'EINVAL' without a clsact, 'ENODEV'; UnavailableError;
 * RangeError
 */
export function tcFilterDelete(options: TcPlace & TcFilterId): void {
  // Without a priority the kernel would delete all filters of the direction.
  const { ifindex, direction, priority = 0, handle = 0 } = options;
  const parts = [filterMessage({ ifindex, direction, priority, handle }), attrString(TCA_KIND, 'bpf')];
  rtRequest({ command: 'RTM_DELTFILTER', parts, explain: noPlace(ifindex) });
}

/**
 * RTM_GETTFILTER: the filters of kind bpf of a direction, in the order in which they run; none without a clsact. Those of
 * other chains than the first (tc(8)) are left out. Needs no privilege.
 *
 * @throws SysError 'ENODEV'; UnavailableError; RangeError
 */
export function tcFilterList(ifindex: number, direction: TcDirection): TcFilter[] {
  linkByIndex(ifindex); // Of an interface that is not there, the kernel gives an empty list.
  const parts = [tcmsg(ifindex, 0, parentOf(direction), 0), attrU32(TCA_CHAIN, 0)];
  return rtDump({ command: 'RTM_GETTFILTER', parts }).flatMap((message) => {
    const id = filterId(structOf(message, TCMSG_BYTES));
    const attributes = parseAttributes(message.payload.subarray(TCMSG_BYTES));
    const options = attributes.get(TCA_OPTIONS);
    // Before its filters, each priority comes once by itself, without options.
    if (readString(attributes, TCA_KIND) !== 'bpf' || options === undefined) return [];
    const bpf = parseAttributes(options);
    const directAction = ((readU32(bpf, TCA_BPF_FLAGS) ?? 0) & TCA_BPF_FLAG_ACT_DIRECT) !== 0;
    return [{ ...id, name: readString(bpf, TCA_BPF_NAME) ?? '', progId: readU32(bpf, TCA_BPF_ID), directAction }];
  });
}

/** tcm_info holds the priority, and the protocol in network byte order; 0 leaves the choice to the kernel. */
function filterMessage({ ifindex, direction, priority, handle }: TcPlace & Partial<TcFilterId>): Uint8Array {
  const high = priority === undefined ? 0 : integer('priority', priority, 1, 0xffff);
  const tcmHandle = handle === undefined ? 0 : integer('handle', handle, 1, 0xffff_ffff);
  return tcmsg(ifindex, tcmHandle, parentOf(direction), high * 0x1_0000 + ETH_P_ALL_BE);
}

function filterId(tcmsg: DataView): TcFilterId {
  return { priority: tcmsg.getUint32(16, LE) >>> 16, handle: tcmsg.getUint32(8, LE) };
}

function explainAdd({ ifindex, prog }: TcFilterAddOptions): Explain {
  return (code, sentence) => {
    if (code === 'ENOENT' && /classifier/i.test(sentence))
      return {
        unavailable: 'this kernel has no filters of kind bpf: it needs CONFIG_NET_CLS_BPF (the module cls_bpf).',
      };
    const notProg = code === 'EINVAL' || code === 'EBADF' ? whyNotProg(prog.fd, 'sched_cls') : undefined;
    return notProg ?? noPlace(ifindex)(code, sentence);
  };
}
