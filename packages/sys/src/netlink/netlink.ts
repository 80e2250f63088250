import { withScope } from '../memory.ts';
import { type Explain, NLMSG_ERROR, netlinkError, parseAck } from './error.ts';
import { message, type NlMessage, parseMessages } from './message.ts';
import { RtSocket } from './socket.ts';

/** Requests of linux/rtnetlink.h that this package makes, or its tests. Numbers come in fours: NEW, DEL, GET, SET. */
const RTM = {
  RTM_NEWLINK: 16,
  RTM_GETLINK: 18,
  RTM_SETLINK: 19,
  RTM_NEWADDR: 20,
  RTM_NEWROUTE: 24,
  RTM_DELROUTE: 25,
  RTM_NEWQDISC: 36,
  RTM_DELQDISC: 37,
  RTM_GETQDISC: 38,
  RTM_NEWTFILTER: 44,
  RTM_DELTFILTER: 45,
  RTM_GETTFILTER: 46,
  RTM_NEWLINKPROP: 108,
} as const;

export const NLM_F_ECHO = 0x08;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
const NLM_F_REQUEST = 0x01;
const NLM_F_ACK = 0x04;
const NLM_F_DUMP_INTR = 0x10;
const NLM_F_DUMP = 0x300;
const NLMSG_DONE = 3;
const EINTR = 4;
const ENODATA = 61;
const DUMP_TRIES = 10;

/** What a request is made of. */
export interface RtRequest {
  readonly command: keyof typeof RTM;
  /** NLM_F_* beside those that every request has. */
  readonly flags?: number;
  /** The message after its header: the structure of the command, and attributes. */
  readonly parts: readonly Uint8Array[];
  readonly explain?: Explain;
}

interface Answer {
  readonly messages: NlMessage[];
  readonly interrupted: boolean;
}

let lastSeq = 0;

/**
 * Makes one request of rtnetlink(7), in the network namespace of the calling thread, and waits for its end.
 *
 * @returns the messages before the acknowledgement
 * @throws SysError with `syscall: 'netlink'` and the kernel's own sentence; UnavailableError without CAP_NET_ADMIN
 */
export function rtRequest(request: RtRequest): NlMessage[] {
  return exchange(request, NLM_F_ACK | (request.flags ?? 0)).messages;
}

/**
 * Makes a request whose answer is one message.
 *
 * @throws SysError, also 'ENODATA' when there is none; UnavailableError
 */
export function rtGet(request: RtRequest): NlMessage {
  const [answer] = rtRequest(request);
  if (answer) return answer;
  throw netlinkError(request.command, { errno: ENODATA, sentence: 'the kernel acknowledged it without an answer' });
}

/**
 * Makes a request whose answer is a list, again when the list changed meanwhile.
 *
 * @throws SysError, 'EINTR' when it changed each time; UnavailableError
 */
export function rtDump(request: RtRequest): NlMessage[] {
  for (let tries = DUMP_TRIES; tries > 0; tries--) {
    const { messages, interrupted } = exchange(request, NLM_F_DUMP);
    if (!interrupted) return messages;
  }
  throw netlinkError(request.command, { errno: EINTR, sentence: `the list changed in each of ${DUMP_TRIES} readings` });
}

function exchange({ command, parts, explain }: RtRequest, flags: number): Answer {
  lastSeq = (lastSeq + 1) >>> 0;
  const seq = lastSeq;
  return withScope((scope) => {
    using socket = new RtSocket(scope, command);
    socket.send(scope, message(RTM[command], NLM_F_REQUEST | flags, seq, ...parts));
    const answer = collect(seq, RTM[command] & ~3, () => socket.receive());
    if (answer.ack.errno !== 0) throw netlinkError(command, answer.ack, explain);
    return answer;
  });
}

/**
 * Reads datagrams up to the end of the answer to request `seq`: NLMSG_ERROR, which an acknowledgement is too, or the
 * NLMSG_DONE of a list. What answers is of type `type`.
 */
export function collect(
  seq: number,
  type: number,
  receive: () => Uint8Array,
): Answer & { readonly ack: ReturnType<typeof parseAck> } {
  const messages: NlMessage[] = [];
  let interrupted = false;
  for (;;) {
    for (const message of parseMessages(receive())) {
      if (message.seq !== seq) continue;
      if (message.flags & NLM_F_DUMP_INTR) interrupted = true;
      if (message.type === NLMSG_ERROR || message.type === NLMSG_DONE)
        return { messages, interrupted, ack: parseAck(message) };
      if (message.type === type) messages.push(message);
    }
  }
}
