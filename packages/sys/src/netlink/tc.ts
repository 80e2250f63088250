import { SysError } from '../error.ts';
import { LE } from '../memory.ts';
import { ifindexOf } from './check.ts';
import type { Explain } from './error.ts';
import { noInterface } from './interfaces.ts';
import { attrString, parseAttributes, readString, structOf } from './message.ts';
import { NLM_F_CREATE, NLM_F_ECHO, NLM_F_EXCL, rtGet, rtRequest } from './netlink.ts';

export const TCA_KIND = 1;
/** The parent of the clsact qdisc, and those of the filters in it (linux/pkt_sched.h). */
const TC_H_CLSACT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
const directions = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
/** Packets that come in through the interface, or go out. */
export type TcDirection = keyof typeof directions;

/** struct tcmsg: tcm_family 0, tcm_ifindex 4, tcm_handle 8, tcm_parent 12, tcm_info 16. */
export const TCMSG_BYTES = 20;

export function tcmsg(ifindex: number, handle: number, parent: number, info: number): Uint8Array {
  const bytes = new Uint8Array(TCMSG_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, ifindexOf(ifindex), LE);
  view.setUint32(8, handle, LE);
  view.setUint32(12, parent, LE);
  view.setUint32(16, info, LE);
  return bytes;
}

/** The parent of the filters of a direction. */
export function parentOf(direction: TcDirection): number {
  if (Object.hasOwn(directions, direction)) return directions[direction];
  throw new RangeError(`'${direction}' is not a direction; they are ${Object.keys(directions).join(', ')}`);
}

/**
 * RTM_NEWQDISC: gives an interface the clsact queueing discipline (tc(8)), which filters are attached to. It takes
 * nothing from the traffic by itself. One that is there already is as good. Linux 4.5; needs CAP_NET_ADMIN, and
 * CONFIG_NET_SCH_INGRESS.
 *
 * @returns whether it was made now: who made it may delete it
 * @throws SysError 'EEXIST' when an ingress qdisc has its place, 'ENODEV'; UnavailableError; RangeError
 * @example
 * ```ts
 * const made = tcClsactAdd(ifIndex('eth0'));
 * ```
 */
export function tcClsactAdd(ifindex: number): boolean {
  try {
    rtRequest({
      command: 'RTM_NEWQDISC',
      flags: NLM_F_CREATE | NLM_F_EXCL,
      parts: clsact(ifindex),
      explain: (code, sentence) =>
        code === 'ENOENT'
          ? {
              unavailable: 'this kernel has no clsact qdisc: it needs CONFIG_NET_SCH_INGRESS (the module sch_ingress).',
            }
          : noInterface(ifindex)(code, sentence),
    });
    return true;
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'EEXIST') throw error;
    const kind = ingressKind(ifindex);
    if (kind === 'clsact') return false;
    const { code, errno, syscall, command = '' } = error;
    const hint = `interface ${ifindex} has the qdisc '${kind}' in the place of clsact, which takes the same filters on ingress only: delete it first`;
    throw new SysError({ code, errno, syscall, command, hint });
  }
}

/**
 * RTM_DELQDISC: deletes an interface's clsact, and with it all its filters, whoever added them. Needs CAP_NET_ADMIN.
 *
 * @throws SysError 'ENOENT' or 'EINVAL' when there is none, 'ENODEV'; UnavailableError; RangeError
 */
export function tcClsactDelete(ifindex: number): void {
  rtRequest({
    command: 'RTM_DELQDISC',
    parts: clsact(ifindex),
    explain: (code, sentence) =>
      code === 'ENOENT' || code === 'EINVAL'
        ? `interface ${ifindex} has no clsact (the kernel's own words: ${sentence})`
        : noInterface(ifindex)(code, sentence),
  });
}

function clsact(ifindex: number): Uint8Array[] {
  return [tcmsg(ifindex, CLSACT_HANDLE, TC_H_CLSACT, 0), attrString(TCA_KIND, 'clsact')];
}

/** The kind of the qdisc that sits where clsact does. */
function ingressKind(ifindex: number): string {
  const parts = [tcmsg(ifindex, 0, TC_H_CLSACT, 0)];
  // Of a qdisc, also the answer to a question is an echo.
  const answer = rtGet({ command: 'RTM_GETQDISC', flags: NLM_F_ECHO, parts, explain: noInterface(ifindex) });
  structOf(answer, TCMSG_BYTES);
  return readString(parseAttributes(answer.payload.subarray(TCMSG_BYTES)), TCA_KIND) ?? '';
}

/** Of an interface without a clsact, the kernel says that the parent qdisc does not exist. */
export function noPlace(ifindex: number): Explain {
  return (code, sentence) =>
    code === 'EINVAL' && /qdisc/i.test(sentence)
      ? `interface ${ifindex} has no clsact: add it first, with tcClsactAdd (the kernel's own words: ${sentence})`
      : noInterface(ifindex)(code, sentence);
}
