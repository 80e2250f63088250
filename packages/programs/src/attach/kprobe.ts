import { type Fd, perfEventOpen, SysError, UnavailableError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import type { Attachable } from './make.ts';
import { attachToOwnEvent, type PerfLinkOptions } from './perf-event.ts';
import { probeConfig } from './pmu.ts';

export interface KprobeOptions extends PerfLinkOptions {
  /** On return (kretprobe). */
  readonly retprobe?: boolean;
  /** Bytes into the function, to the start of an instruction. 0 unless told. */
  readonly offset?: number;
}

/**
 * Attaches a kprobe program to a function of the kernel. Linux 4.17, CONFIG_KPROBE_EVENTS: by a link since 5.15, else by
 * PERF_EVENT_IOC_SET_BPF.
 *
 * @param func as in /proc/kallsyms
 * @throws ProgramError `NO_TARGET` for a function that is not there or cannot be probed; UnavailableError; SysError
 * @example
 * ```ts
 * using link = attachKprobe(program, 'vfs_read', { retprobe: true });
 * ```
 */
export function attachKprobe(program: Attachable, func: string, options: KprobeOptions = {}): Link {
  const { retprobe = false, offset = 0 } = options;
  if (retprobe && offset !== 0) throw new RangeError(`offset is ${offset}; a probe on return is of the whole function`);
  const config = probeConfig('kprobe', retprobe);
  return attachToOwnEvent(program, open(func, config, offset), options);
}

function open(func: string, config: bigint, offset: number): Fd {
  try {
    return perfEventOpen({ type: 'kprobe', config, config1: func, config2: offset, disabled: true });
  } catch (error) {
    if (!(error instanceof SysError) || error instanceof UnavailableError) throw error;
    const why = reasons[error.code];
    if (why === undefined) throw error;
    const place = offset === 0 ? `'${func}'` : `'${func}' + ${offset}`;
    throw new ProgramError('NO_TARGET', `there can be no kprobe at ${place} (${error.code}): ${why}`, error);
  }
}

/** What register_kprobe() answers. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'this kernel has no such function in /proc/kallsyms, or not where it may be probed',
  EADDRNOTAVAIL: 'this kernel has several functions of this name: take another',
  EINVAL: 'the kernel forbids probes there (see kprobes/blacklist in debugfs), or the offset is outside the function',
  EILSEQ: 'the offset is not the start of an instruction',
};
