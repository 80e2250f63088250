import { type AttachType, fileOpen, type HasFd, O_RDONLY, SysError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink } from './make.ts';

const attachTypes: Readonly<Record<string, AttachType>> = { sk_lookup: 'sk_lookup', flow_dissector: 'flow_dissector' };

/** This thread's. */
const OWN = '/proc/thread-self/ns/net';

/**
 * Attaches a program of type sk_lookup (Linux 5.9) or flow_dissector (5.8) to a network namespace.
 *
 * @param netns a path such as '/run/netns/blue' or '/proc/PID/ns/net', or a descriptor of that; this thread's own unless told
 * @throws ProgramError `NO_TARGET` when it is no network namespace, `NOT_ATTACHABLE` for programs of another type; SysError
 *   'EEXIST' when a flow_dissector is attached there, or in the initial namespace for all, 'E2BIG' for too many sk_lookups
 * @example
 * ```ts
 * using link = attachNetns(program, '/run/netns/blue');
 * ```
 */
export function attachNetns(program: Attachable, netns: string | HasFd = OWN): Link {
  const { type, name } = program.spec;
  const attachType = attachTypes[type];
  if (attachType === undefined)
    throw new ProgramError('NOT_ATTACHABLE', `program '${name}', a ${type}, does not attach to a network namespace`);
  const opened = typeof netns === 'string' ? fileOpen(netns, O_RDONLY) : undefined;
  const target = opened ?? (netns as HasFd);
  try {
    return createLink({ prog: program, attachType, target });
  } catch (error) {
    // EINVAL: a namespace of another kind, or no namespace.
    if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
    const what = typeof netns === 'string' ? `'${netns}'` : `descriptor ${netns.fd}`;
    throw new ProgramError('NO_TARGET', `${what} is no network namespace: one is /proc/PID/ns/net`, error);
  } finally {
    opened?.close();
  }
}
