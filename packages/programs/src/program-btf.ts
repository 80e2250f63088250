import { parseBtf } from '@bpf/btf';
import { btfGetBytes, btfGetFdById, type Fd, type HasFd, progGetInfo } from '@bpf/sys';
import { ProgramError } from './error.ts';

/** A function of a loaded program. */
export interface ProgramFunction {
  /** The program's types, for the caller to close. */
  readonly btf: Fd;
  readonly id: number;
}

/**
 * Finds a function among the types that a program was loaded with. Linux 4.18; needs CAP_SYS_ADMIN.
 *
 * @throws ProgramError `NO_TARGET` when the program has no types, or no such function; SysError; UnavailableError
 */
export function functionOf(program: HasFd, name: string): ProgramFunction {
  const { btfId, name: title } = progGetInfo(program);
  if (btfId === 0)
    throw new ProgramError(
      'NO_TARGET',
      `program '${title}' was loaded without types (BTF), so it has no functions by name`,
    );
  const btf = btfGetFdById(btfId);
  try {
    const id = parseBtf(btfGetBytes(btf)).find('func', name);
    if (id === undefined) throw new ProgramError('NO_TARGET', `program '${title}' has no function '${name}'`);
    return { btf, id };
  } catch (error) {
    btf.close();
    throw error;
  }
}
