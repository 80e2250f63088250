import { ProgramError } from '../error.ts';
import { kernelBtf } from '../kernel-btf.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink, needing } from './make.ts';

/** The functions that one link is for. */
export interface TracingMultiPlaces {
  /** Names of functions of the kernel itself, each once. */
  readonly functions: readonly string[];
  /** What bpf_get_attach_cookie() returns, for each function. */
  readonly cookies?: readonly bigint[];
}

/**
 * Attaches one tracing program to many functions of the kernel (`trace_fentry_multi`, `trace_fexit_multi`, or
 * `trace_fsession_multi`, which runs at entry and return). Its context is that of a function with six arguments, whatever
 * those of each are. Linux 7.2, x86-64; there is no older way.
 *
 * @throws ProgramError `NO_TARGET` for a function that is not there; SysError 'EINVAL' for one that cannot be traced, or is
 *   given twice; UnavailableError
 * @example
 * ```ts
 * using link = attachTracingMulti(program, { functions: ['vfs_read', 'vfs_write'], cookies: [1n, 2n] });
 * ```
 */
export function attachTracingMulti(program: Attachable, { functions, cookies }: TracingMultiPlaces): Link {
  const { attachType = 'trace_fentry_multi' } = program.spec;
  const btf = kernelBtf();
  const btfIds = functions.map((name) => {
    const id = btf.find('func', name);
    if (id !== undefined) return id;
    throw new ProgramError('NO_TARGET', `this kernel has no function '${name}' (no func '${name}' in its BTF)`);
  });
  return needing({ what: `${attachType} links`, since: '7.2' }, () =>
    createLink({ prog: program, attachType, tracingMulti: { btfIds, ...(cookies && { cookies }) } }),
  );
}
