import { rawTracepointOpen } from '@bpf/sys';
import { Link } from '../link.ts';
import { type Attachable, needing } from './make.ts';

/**
 * Attaches a raw_tracepoint program (or a raw_tracepoint_writable one) to a tracepoint by its name. Linux 4.17.
 *
 * @param options.cookie what bpf_get_attach_cookie() returns. Linux 6.10
 * @throws SysError 'ENOENT' when there is no such tracepoint, 'EEXIST' on older kernels when it is attached there already; UnavailableError
 * @example
 * ```ts
 * using link = attachRawTracepoint(program, 'sched_process_fork');
 * ```
 */
export function attachRawTracepoint(
  program: Attachable,
  name: string,
  { cookie }: { readonly cookie?: number | bigint } = {},
): Link {
  const open = () => rawTracepointOpen({ prog: program, name, ...(cookie !== undefined && { cookie }) });
  const fd = cookie === undefined ? open() : needing({ what: 'cookies of raw tracepoints', since: '6.10' }, open);
  return new Link('BPF_RAW_TRACEPOINT_OPEN', fd);
}
