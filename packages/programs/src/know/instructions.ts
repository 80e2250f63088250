import { decode, type Insn } from '@bpf/insn';
import { type HasFd, progGetFdById, progGetJited, progGetXlated } from '@bpf/sys';

/**
 * The instructions of a program as the kernel rewrote them (`bpftool prog dump xlated`): helpers inlined, accesses to the
 * context and to maps replaced. What only the kernel has comes as `raw` instructions. Needs CAP_PERFMON or CAP_SYS_ADMIN, and
 * a sysctl kernel.kptr_restrict that lets addresses be seen. Linux 4.13.
 *
 * @param program or its id, for which CAP_SYS_ADMIN is needed
 * @returns nothing when this process may not see them
 * @throws SysError 'ENOENT' when there is no program with this id; UnavailableError
 * @example
 * ```ts
 * console.log(formatText(xlated(program))); // formatText of @bpf/insn/text
 * ```
 */
export function xlated(program: HasFd | number): Insn[] {
  return decode(withProgram(program, progGetXlated));
}

/** The machine code of a program (`bpftool prog dump jited`), of all its functions, as {@link xlated}. Linux 4.13. */
export function jited(program: HasFd | number): Uint8Array {
  return withProgram(program, progGetJited);
}

function withProgram(program: HasFd | number, get: (program: HasFd) => Uint8Array): Uint8Array {
  if (typeof program !== 'number') return get(program);
  using opened = progGetFdById(program);
  return get(opened);
}
