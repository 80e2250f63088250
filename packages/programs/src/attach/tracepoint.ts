import { existsSync, readdirSync } from 'node:fs';
import { mountOf, perfEventOpen, tracepointId, UnavailableError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import type { Attachable } from './make.ts';
import { attachToOwnEvent, type PerfLinkOptions } from './perf-event.ts';

/**
 * Attaches a tracepoint program to a tracepoint of tracefs. Linux 4.7: by a link since 5.15, else by
 * PERF_EVENT_IOC_SET_BPF.
 *
 * @param tracepoint category and name, as below events/ of tracefs: 'syscalls/sys_enter_openat'
 * @throws ProgramError `NO_TARGET` when there is no such tracepoint; UnavailableError when tracefs cannot be read; SysError
 * @example
 * ```ts
 * using link = attachTracepoint(program, 'sched/sched_switch');
 * ```
 */
export function attachTracepoint(program: Attachable, tracepoint: string, options: PerfLinkOptions = {}): Link {
  const config = idOf(tracepoint);
  // On one CPU, or the kernel takes no event of all processes; the program runs on all of them.
  const event = perfEventOpen({ type: 'tracepoint', config, pid: -1, cpu: 0, disabled: true });
  return attachToOwnEvent(program, event, options);
}

function idOf(tracepoint: string): number {
  const [category = '', name = '', ...more] = tracepoint.split('/');
  if (name === '' || more.length > 0)
    throw new ProgramError(
      'NO_TARGET',
      `'${tracepoint}' is not a tracepoint's category and name, such as 'sched/sched_switch'${suggest(tracepoint)}`,
    );
  try {
    return tracepointId(category, name);
  } catch (error) {
    const events = folder();
    // Where the folder cannot be read, nobody knows what is in it.
    if (!(error instanceof UnavailableError) || events === undefined) throw error;
    const missing = existsSync(`${events}/${category}`) ? `'${name}' in '${category}'` : `category '${category}'`;
    throw new ProgramError('NO_TARGET', `this kernel has no tracepoint ${missing}${suggest(name)}`, error);
  }
}

/** The categories that have one of this name. */
function suggest(name: string): string {
  const events = folder();
  if (events === undefined || !/^[\w-]+$/.test(name)) return '';
  const found = readdirSync(events).filter((category) => existsSync(`${events}/${category}/${name}/id`));
  return found.length > 0 ? `; there is '${found.map((category) => `${category}/${name}`).join("', '")}'` : '';
}

function folder(): string | undefined {
  const events = `${mountOf('tracefs')}/events`;
  try {
    return readdirSync(events).length > 0 ? events : undefined;
  } catch {
    return undefined;
  }
}
