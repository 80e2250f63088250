import { Fd, type IterInfo, linkCreate, rawTracepointOpen, SysError } from '@bpf/sys';
import { ProgramError } from './error.ts';
import type { Program } from './load.ts';

/** Owns an attachment: closing it detaches the program. */
export class Link extends Fd {
  /** The bpf(2) command that made it: older kernels lack the first. */
  readonly how: 'BPF_LINK_CREATE' | 'BPF_RAW_TRACEPOINT_OPEN';

  constructor(fd: number, how: Link['how']) {
    super(fd);
    this.how = how;
  }
}

export interface AttachOptions {
  /** What an iterator goes through, for targets that take it. */
  readonly iterInfo?: IterInfo;
}

/**
 * Attaches a program to what its spec says.
 *
 * @throws ProgramError `NOT_ATTACHABLE` for a type that attaches to nothing, `NO_TARGET`, `ITER_INFO`; SysError;
 * UnavailableError
 * @example
 * ```ts
 * using link = attach(program);
 * ```
 */
export function attach(program: Program, options: AttachOptions = {}): Link {
  const { type, attachType, attachTo, name } = program.spec;
  if (type === 'raw_tracepoint') {
    if (attachTo === undefined)
      throw new ProgramError('NO_TARGET', `program '${name}' does not say which tracepoint it attaches to (attachTo)`);
    return new Link(rawTracepointOpen({ prog: program, name: attachTo }).disown(), 'BPF_RAW_TRACEPOINT_OPEN');
  }
  if (options.iterInfo) checkIterInfo(program, options.iterInfo);
  if (attachType === undefined)
    throw new ProgramError('NOT_ATTACHABLE', `program '${name}', a ${type}, has nothing that it attaches to`);
  try {
    return new Link(linkCreate({ prog: program, attachType, ...options }).disown(), 'BPF_LINK_CREATE');
  } catch (error) {
    // Before Linux 5.19 tracing programs other than iterators attach this way only.
    if (attachType === 'trace_iter' || !(error instanceof SysError) || error.code !== 'EINVAL') throw error;
    return new Link(rawTracepointOpen({ prog: program }).disown(), 'BPF_RAW_TRACEPOINT_OPEN');
  }
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
function checkIterInfo({ spec: { name, attachTo = '' } }: Program, info: IterInfo): void {
  const [given = ''] = Object.keys(info);
  const takes = Object.hasOwn(parameters, attachTo) ? parameters[attachTo] : undefined;
  if (given !== takes)
    throw new ProgramError(
      'ITER_INFO',
      `program '${name}' iterates over '${attachTo}', which takes ${takes ? `a ${takes}` : 'no parameter'}, not a ${given}`,
    );
}
