import { SysError, type UprobeMulti } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { symbolOffset } from './elf.ts';
import { type Attachable, createLink, needing } from './make.ts';

/** Functions by their symbols, or places by their offsets in the file: one of the two. */
export interface UprobeMultiPlaces extends Omit<UprobeMulti, 'path' | 'offsets'> {
  readonly symbols?: readonly string[];
  readonly offsets?: readonly bigint[];
}

/**
 * Attaches one kprobe program to many places of a program file (`trace_uprobe_multi`, or `trace_uprobe_session`, which runs
 * at entry and return). Linux 6.6 (sessions 6.13), CONFIG_UPROBES; there is no older way.
 *
 * @throws ProgramError `NO_TARGET`, `NOT_ELF`; UnavailableError; SysError
 * @example
 * ```ts
 * using link = attachUprobeMulti(program, '/usr/bin/node', { symbols: ['uv_run', 'uv_stop'], cookies: [1n, 2n] });
 * ```
 */
export function attachUprobeMulti(program: Attachable, path: string, places: UprobeMultiPlaces): Link {
  const { symbols, offsets = [], ...rest } = places;
  if ((symbols === undefined) === (places.offsets === undefined))
    throw new RangeError('a uprobe_multi link has symbols or offsets: exactly one of them');
  const { attachType = 'trace_uprobe_multi' } = program.spec;
  const since = attachType === 'trace_uprobe_session' ? '6.13' : '6.6';
  const all = symbols ? symbols.map((symbol) => symbolOffset(path, symbol)) : offsets;
  try {
    return needing({ what: `${attachType} links`, since, config: 'CONFIG_UPROBES=y' }, () =>
      createLink({ prog: program, attachType, uprobeMulti: { ...rest, path, offsets: all } }),
    );
  } catch (error) {
    if (!(error instanceof SysError) || !['ENOENT', 'EBADF', 'ESRCH'].includes(error.code)) throw error;
    const what = error.code === 'ESRCH' ? `process ${rest.pid}` : `file '${path}'`;
    throw new ProgramError('NO_TARGET', `there is no ${what} to attach to (${error.code})`, error);
  }
}
