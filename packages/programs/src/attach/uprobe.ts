import { type Fd, perfEventOpen, SysError, UnavailableError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { symbolOffset } from './elf.ts';
import type { Attachable } from './make.ts';
import { attachToOwnEvent, type PerfLinkOptions } from './perf-event.ts';
import { probeConfig } from './pmu.ts';

export interface UprobeOptions extends PerfLinkOptions {
  /** A function of the file's symbol table. */
  readonly symbol?: string;
  /** Bytes from the symbol, or from the start of the file where there is none. 0 unless told. */
  readonly offset?: number | bigint;
  /** Only this process; all that run the file unless told. */
  readonly pid?: number;
  /** On return (uretprobe). */
  readonly retprobe?: boolean;
}

/**
 * Attaches a kprobe program to a place in a program file or library, wherever it runs. Linux 4.17, CONFIG_UPROBE_EVENTS: by
 * a link since 5.15, else by PERF_EVENT_IOC_SET_BPF.
 *
 * @param path of the ELF file, as this process sees it
 * @throws ProgramError `NO_TARGET` for a file, symbol, process or place that is not there, `NOT_ELF`; UnavailableError;
 *   SysError
 * @example
 * ```ts
 * using link = attachUprobe(program, '/lib/x86_64-linux-gnu/libc.so.6', { symbol: 'malloc', pid: 1234 });
 * ```
 */
export function attachUprobe(program: Attachable, path: string, options: UprobeOptions): Link {
  const { symbol, offset = 0, pid, retprobe = false } = options;
  if (symbol === undefined && options.offset === undefined)
    throw new RangeError('a uprobe is at a symbol or an offset of its file: give one of them');
  const config = probeConfig('uprobe', retprobe);
  const place = BigInt(offset) + (symbol === undefined ? 0n : symbolOffset(path, symbol));
  return attachToOwnEvent(program, open(path, config, place, pid), options);
}

function open(path: string, config: bigint, config2: bigint, pid: number | undefined): Fd {
  const who = pid === undefined ? { pid: -1, cpu: 0 } : { pid, cpu: -1 };
  try {
    return perfEventOpen({ type: 'uprobe', config, config1: path, config2, ...who, disabled: true });
  } catch (error) {
    if (!(error instanceof SysError) || error instanceof UnavailableError) throw error;
    const why = reasons[error.code];
    if (why === undefined) throw error;
    throw new ProgramError(
      'NO_TARGET',
      `there can be no uprobe at offset ${config2} of '${path}' (${error.code}): ${why}`,
      error,
    );
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ESRCH: 'there is no such process',
  EINVAL: 'it is not a regular file, or the offset is beyond its end or not the start of an instruction',
  EIO: 'the file system has no pages that could hold a probe',
};
