import { rawTracepointOpen, SysError } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import { Link } from '../link.ts';
import { type Attachable, createLink, linkElse, needing } from './make.ts';

export interface TracingOptions {
  /** What bpf_get_attach_cookie() returns. Linux 5.19, tp_btf 6.10. */
  readonly cookie?: number | bigint;
}

/**
 * Attaches a tracing program (fentry, fexit, fmod_ret, fsession, tp_btf) to what it was loaded for. Linux 5.5; before 5.19
 * by BPF_RAW_TRACEPOINT_OPEN. Before 5.13 once only: what was closed is loaded again.
 *
 * @throws SysError 'EBUSY' when too many programs are on the function; ProgramError `NOT_ATTACHABLE`; UnavailableError
 * @example
 * ```ts
 * using link = attachTracing(program);
 * ```
 */
export function attachTracing(program: Attachable, { cookie }: TracingOptions = {}): Link {
  const { attachType = 'trace_fentry' } = program.spec;
  if (cookie === undefined)
    return linkElse(
      () => createLink({ prog: program, attachType }),
      () => openRaw(program),
    );
  // Linux 5.19 to 6.9 take the cookie of a tp_btf program in BPF_LINK_CREATE, and forget it.
  return attachType === 'trace_raw_tp'
    ? needing({ what: 'cookies of tp_btf programs', since: '6.10' }, () => openRaw(program, cookie))
    : needing({ what: `cookies of ${attachType} programs`, since: '5.19' }, () =>
        createLink({ prog: program, attachType, cookie }),
      );
}

/**
 * Attaches a program to an LSM hook (`lsm_mac`), for the whole system: what it returns decides. Linux 5.7, with `bpf` in the
 * list of security modules (/sys/kernel/security/lsm): without it, the program attaches and may never run. As
 * {@link attachTracing} otherwise.
 *
 * @throws SysError; ProgramError `NOT_ATTACHABLE`; UnavailableError
 * @example
 * ```ts
 * using program = loadProgram({ name: 'open', type: 'lsm', attachType: 'lsm_mac', attachTo: 'file_open', instructions });
 * using link = attachLsm(program);
 * ```
 */
export function attachLsm(program: Attachable, options: TracingOptions = {}): Link {
  return attachTracing(program, options);
}

function openRaw(program: Attachable, cookie: number | bigint = 0): Link {
  try {
    return new Link('BPF_RAW_TRACEPOINT_OPEN', rawTracepointOpen({ prog: program, cookie }));
  } catch (error) {
    // What it was loaded for is forgotten with its first link.
    if (!(error instanceof SysError) || error.code !== 'ENOENT') throw error;
    const why = 'before Linux 5.13 such a program attaches only once: load it again';
    throw new ProgramError('NOT_ATTACHABLE', `program '${program.spec.name}' was attached and closed: ${why}`, error);
  }
}
