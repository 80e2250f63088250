import { errnoName } from '../errno.ts';
import { SysError, UnavailableError } from '../error.ts';
import { type Machine, readMachine } from '../machine.ts';
import { LE } from '../memory.ts';
import { type NlMessage, parseAttributes, readString, structOf } from './message.ts';

/**
 * What a request's own knowledge adds to an error: a sentence, or that this machine cannot do it; undefined leaves it
 * to the kernel's sentence, which is '' when it gave none.
 */
export type Explain = (code: string, sentence: string) => string | { readonly unavailable: string } | undefined;

/** An NLMSG_ERROR or NLMSG_DONE, whose errno 0 says that all went well. */
export interface Ack {
  readonly errno: number;
  /** NLMSGERR_ATTR_MSG, the kernel's own sentence, or ''. */
  readonly sentence: string;
}

export const NLMSG_ERROR = 2;
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const NLMSGHDR_BYTES = 16;
const CAP_NET_ADMIN = 1n << 12n;

/** Reads struct nlmsgerr: error 0, the header of the request 4, its rest unless capped, attributes. */
export function parseAck(message: NlMessage): Ack {
  const error = message.type === NLMSG_ERROR;
  const view = structOf(message, error ? 4 + NLMSGHDR_BYTES : 4);
  const errno = Math.abs(view.getInt32(0, LE));
  if ((message.flags & NLM_F_ACK_TLVS) === 0) return { errno, sentence: '' };
  // The attributes follow the request's header, or the whole request.
  const header = error ? (message.flags & NLM_F_CAPPED ? NLMSGHDR_BYTES : view.getUint32(4, LE)) : 0;
  const attributes = parseAttributes(message.payload.subarray(4 + Math.ceil(header / 4) * 4));
  return { errno, sentence: readString(attributes, NLMSGERR_ATTR_MSG) ?? '' };
}

/** The error to throw for a request, or the system call of one, that failed. */
export function netlinkError(command: string, { errno, sentence }: Ack, explain?: Explain): SysError {
  const code = errnoName(errno);
  const facts = { code, errno, syscall: 'netlink', command };
  if (code === 'EPERM') return new UnavailableError(`${command}: ${whyNetNotPermitted(readMachine())}`, facts);
  const hint = explain?.(code, sentence) ?? sentence;
  if (typeof hint === 'object') return new UnavailableError(`${command}: ${hint.unavailable}`, facts);
  return new SysError(hint === '' ? facts : { ...facts, hint });
}

/** One sentence for an EPERM: why, and what to do. */
export function whyNetNotPermitted(machine: Machine): string {
  if ((machine.capabilities & CAP_NET_ADMIN) === 0n)
    return 'this process has no permission: it needs CAP_NET_ADMIN, so run it as root or grant it this capability.';
  if (machine.inUserNamespace)
    return 'this process has CAP_NET_ADMIN in a user namespace that does not own this network namespace: run it outside, or in a network namespace that was made inside.';
  if (machine.seccomp)
    return 'a seccomp filter, as containers have, may forbid netlink: allow it in its profile, or run outside the container.';
  return 'this kernel refuses it although the process has CAP_NET_ADMIN: a security policy forbids it.';
}
