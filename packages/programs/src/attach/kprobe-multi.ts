import { type KprobeMulti, SysError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink, needing } from './make.ts';

/**
 * Attaches one kprobe program to many functions of the kernel (`trace_kprobe_multi`, or `trace_kprobe_session`, which runs
 * at entry and return). Linux 5.18 (sessions 6.10), CONFIG_FPROBE; there is no older way.
 *
 * @param places functions by name or address, with a cookie each, and whether on return
 * @throws ProgramError `NO_TARGET` for a function that is not there or cannot be traced; UnavailableError; SysError
 * @example
 * ```ts
 * using link = attachKprobeMulti(program, { symbols: ['vfs_read', 'vfs_write'], cookies: [1n, 2n] });
 * ```
 */
export function attachKprobeMulti(program: Attachable, places: KprobeMulti): Link {
  const { attachType = 'trace_kprobe_multi' } = program.spec;
  const since = attachType === 'trace_kprobe_session' ? '6.10' : '5.18';
  try {
    return needing({ what: `${attachType} links`, since, config: 'CONFIG_FPROBE=y' }, () =>
      createLink({ prog: program, attachType, kprobeMulti: places }),
    );
  } catch (error) {
    if (!(error instanceof SysError) || !['ESRCH', 'ENOENT'].includes(error.code)) throw error;
    const { symbols = [], addresses = [] } = places;
    const names = [...symbols, ...addresses.map((address) => `0x${address.toString(16)}`)].slice(0, 5).join("', '");
    throw new ProgramError(
      'NO_TARGET',
      `one of these functions is not there, or cannot be traced (${error.code}): '${names}'; see available_filter_functions in tracefs`,
      error,
    );
  }
}
