import { type Fd, type HasFd, perfEventDisable, perfEventEnable, perfEventSetBpf } from '@bpf/sys';
import { Link } from '../link.ts';
import { type Attachable, createLink, linkElse, needing } from './make.ts';
import { duplicate } from './syscalls.ts';

export interface PerfLinkOptions {
  /** What bpf_get_attach_cookie() returns. Linux 5.15. */
  readonly cookie?: number | bigint;
  /** 'perf_event' for the older way, which needs no links of the kernel. */
  readonly how?: 'perf_event';
}

/**
 * Runs a perf_event program at each overflow of a perf event, which is enabled. Linux 4.9: by a link since 5.15, else by
 * PERF_EVENT_IOC_SET_BPF, with which the program stays on the event, and closing the link disables the event.
 *
 * @param event of `perfEventOpen`; it stays the caller's
 * @throws SysError 'EEXIST' when the event has a program, 'EINVAL' for one of another type; UnavailableError
 * @example
 * ```ts
 * using event = perfEventOpen({ type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, sampleFreq: 99, disabled: true });
 * using link = attachPerfEvent(program, event);
 * ```
 */
export function attachPerfEvent(program: Attachable, event: HasFd, options: PerfLinkOptions = {}): Link {
  return attachToEvent(program, event, options, () => {
    const own = duplicate(event);
    return new Link('perf_event', own, { detach: () => perfEventDisable(own) });
  });
}

/** Attaches to an event that was made for it, and ends with the link. */
export function attachToOwnEvent(program: Attachable, event: Fd, options: PerfLinkOptions): Link {
  try {
    const older = (): Link => new Link('perf_event', event, { detach: () => event.close() });
    const link = attachToEvent(program, event, options, older);
    // A bpf_link holds the event itself.
    if (link.how !== 'perf_event') event.close();
    return link;
  } catch (error) {
    event.close();
    throw error;
  }
}

function attachToEvent(program: Attachable, event: HasFd, options: PerfLinkOptions, hold: () => Link): Link {
  const { cookie, how } = options;
  const create = (): Link =>
    createLink({ prog: program, attachType: 'perf_event', target: event, ...(cookie !== undefined && { cookie }) });
  const setBpf = (): Link => {
    perfEventSetBpf(event, program);
    return hold();
  };
  if (cookie !== undefined && how !== undefined) throw new RangeError('a cookie goes with a link: leave out `how`');
  const attach = (): Link => {
    if (how) return setBpf();
    if (cookie === undefined) return linkElse(create, setBpf);
    return needing({ what: 'cookies of perf events', since: '5.15' }, create);
  };
  const link = attach();
  try {
    perfEventEnable(event);
    return link;
  } catch (error) {
    link.close();
    throw error;
  }
}
