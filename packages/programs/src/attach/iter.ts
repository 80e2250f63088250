import type { IterInfo } from '@bpf/sys';
import { ProgramError } from '../error.ts';
import type { Link } from '../link.ts';
import { type Attachable, createLink } from './make.ts';

/**
 * Attaches an iterator; `iterCreate` then opens a pass. Linux 5.8.
 *
 * @param options.iterInfo what it goes through, for targets that take it
 * @throws ProgramError `ITER_INFO`; SysError; UnavailableError
 */
export function attachIter(program: Attachable, { iterInfo }: { readonly iterInfo?: IterInfo } = {}): Link {
  if (iterInfo) checkIterInfo(program, iterInfo);
  return createLink({ prog: program, attachType: 'trace_iter', ...(iterInfo && { iterInfo }) });
}

/** The iterators that can be told what to go through. */
const parameters: Readonly<Record<string, string>> = {
  task: 'task',
  task_file: 'task',
  task_vma: 'task',
  bpf_map_elem: 'map',
  bpf_sk_storage_map: 'map',
  sockmap: 'map',
  cgroup: 'cgroup',
};

/** The kernel reads the bytes of one kind as those of another: a map's descriptor would be the id of a thread. */
function checkIterInfo({ spec: { name, attachTo = '' } }: Attachable, info: IterInfo): void {
  const [given = ''] = Object.keys(info);
  const takes = Object.hasOwn(parameters, attachTo) ? parameters[attachTo] : undefined;
  if (given !== takes)
    throw new ProgramError(
      'ITER_INFO',
      `program '${name}' iterates over '${attachTo}', which takes ${takes ? `a ${takes}` : 'no parameter'}, not a ${given}`,
    );
}
