import type { HasFd } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink, linkElse } from './make.ts';
import { byProgAttach } from './prog-attach.ts';

/**
 * Attaches a program of type sk_skb (as `sk_skb_stream_parser`, `sk_skb_stream_verdict`, `sk_skb_verdict`) or sk_msg to a
 * sockmap or sockhash, for the sockets that are put into it from then on. Linux 4.14: by a link since 6.10, else by
 * BPF_PROG_ATTACH, where closing the link detaches, and the end of the process does not, as long as the map lives.
 *
 * @param options.how 'BPF_PROG_ATTACH' for the older way, which takes the place of another program
 * @throws ProgramError `NOT_ATTACHABLE`; SysError 'EBUSY' when a link is there, 'EINVAL' for a map of another type
 * @example
 * ```ts
 * using link = attachSockmap(program, sockets);
 * ```
 */
export function attachSockmap(
  program: Attachable,
  map: HasFd,
  { how }: { readonly how?: 'BPF_PROG_ATTACH' } = {},
): Link {
  const { type, name } = program.spec;
  const { attachType = type === 'sk_msg' ? 'sk_msg_verdict' : undefined } = program.spec;
  if (attachType === undefined)
    throw new ProgramError(
      'NOT_ATTACHABLE',
      `program '${name}', a ${type}, does not say what of a sockmap it attaches to (attachType), such as 'sk_skb_verdict'`,
    );
  const older = (): Link => byProgAttach(program, { target: map, attachType });
  return how ? older() : linkElse(() => createLink({ prog: program, attachType, target: map }), older);
}
