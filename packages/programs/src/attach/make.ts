// What all kinds share: making a link, falling back, and telling an old kernel from a mistake.
import { kernelAtLeast, type LinkCreateOptions, linkCreate, readMachine, SysError, UnavailableError } from '@bpf/sys';
import { Link } from '../link.ts';
import type { ProgramSpec } from '../spec.ts';

/** A program to attach: what `loadProgram` returns, or anything that has its descriptor and says what it is. */
export interface Attachable {
  readonly fd: number;
  readonly spec: Pick<ProgramSpec, 'name' | 'type' | 'attachType' | 'attachTo'>;
}

/** BPF_LINK_CREATE. @throws SysError, which says of a bare EINVAL what it was about; UnavailableError */
export function createLink(options: LinkCreateOptions & { readonly prog: Attachable }): Link {
  try {
    return new Link('BPF_LINK_CREATE', linkCreate(options));
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'EINVAL' || error instanceof UnavailableError) throw error;
    const { code, errno, syscall, command = '' } = error;
    const { prog, attachType } = options;
    const as = attachType === 0 ? '' : `, as ${attachType}`;
    const hint = `the kernel does not attach program '${prog.spec.name}', a ${prog.spec.type}${as}, or not there`;
    throw new SysError({ code, errno, syscall, command, hint, cause: error });
  }
}

/** What kernels answer that do not know the link that is asked for, or were built without it. */
function isUnknown(error: unknown): error is SysError {
  return error instanceof SysError && ['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP', 'E2BIG'].includes(error.code);
}

/**
 * A bpf_link, or the older way where the kernel does not know such links. When both fail, the error is the older way's,
 * which is about the place, unless that too is a bare EINVAL. Netlink's come with the kernel's own words.
 */
export function linkElse(link: () => Link, older: () => Link): Link {
  try {
    return link();
  } catch (refusal) {
    if (!isUnknown(refusal)) throw refusal;
    try {
      return older();
    } catch (error) {
      throw isUnknown(error) && error.syscall !== 'netlink' ? refusal : error;
    }
  }
}

export interface Since {
  /** In the plural, such as 'tcx links'. */
  readonly what: string;
  /** The first release that has them. */
  readonly since: string;
  /** What the kernel must be built with. */
  readonly config?: string;
}

/** Says of an older kernel, or one built without it, that it has no such thing. */
export function needing<T>({ what, since, config }: Since, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!isUnknown(error)) throw error;
    const { release } = readMachine();
    const [major = 0, minor = 0] = since.split('.').map(Number);
    const { code, errno, syscall, command = '' } = error;
    const facts = { code, errno, syscall, command, cause: error };
    if (!kernelAtLeast(release, major, minor))
      throw new UnavailableError(`${what} need Linux ${since}, and this is ${release}.`, facts);
    if (config !== undefined && error.code !== 'EINVAL')
      throw new UnavailableError(`This kernel has no ${what}: they need ${config}.`, facts);
    throw error;
  }
}

/** Runs what ends an attachment: that its place is gone already, or has another program now, is as good. */
export function ignoreGone(codes: readonly string[], run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SysError) || !codes.includes(error.code)) throw error;
  }
}
