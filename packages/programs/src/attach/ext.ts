import type { HasFd } from '@bpf/sys';
import type { Link } from '../link.ts';
import { functionOf } from '../program-btf.ts';
import { type Attachable, createLink, needing } from './make.ts';

export interface ExtTarget {
  /** The program that has the function. */
  readonly program: HasFd;
  /** A global function of it, with the same parameters. */
  readonly func: string;
}

/**
 * Puts a program of type ext (libbpf's freplace) in the place of a function of another program, as long as the link lives.
 * Linux 5.6; another target than that of its load 5.10.
 *
 * @param target what it was loaded for unless told
 * @throws ProgramError `NO_TARGET`; SysError 'EBUSY' when the function is replaced already, 'EINVAL' when its type is another;
 *   UnavailableError
 * @example
 * ```ts
 * using program = loadProgram({ name: 'new', type: 'ext', attachTo: 'decide', instructions }, { target });
 * using link = attachExt(program);
 * ```
 */
export function attachExt(program: Attachable, target?: ExtTarget): Link {
  // Such a program has no attach type.
  const attachType = 0;
  if (!target) return createLink({ prog: program, attachType });
  const { btf, id } = functionOf(target.program, target.func);
  btf.close();
  return needing({ what: 'ext programs on another target', since: '5.10' }, () =>
    createLink({ prog: program, attachType, target: target.program, targetBtfId: id }),
  );
}
