import { type AttachFlag, type AttachTarget, type HasFd, progAttach, progDetach } from '@bpf/sys';
import { Link } from '../link.ts';
import { ignoreGone } from './make.ts';
import { duplicate } from './syscalls.ts';

export interface Place {
  readonly target: HasFd;
  readonly attachType: NonNullable<AttachTarget['attachType']>;
  /** How it shares a cgroup; nothing for other places. */
  readonly flag?: AttachFlag;
}

/** BPF_PROG_ATTACH. It holds descriptors of its own of the place and of the program, by which it detaches. */
export function byProgAttach(program: HasFd, { target, attachType, flag }: Place): Link {
  const at = { target: duplicate(target), attachType };
  let attached = duplicate(program);
  const release = { [Symbol.dispose]: () => [attached, at.target].forEach((fd) => void fd.close()) };
  try {
    progAttach(attached, at, flag ? { flag } : {});
  } catch (error) {
    release[Symbol.dispose]();
    throw error;
  }
  return new Link('BPF_PROG_ATTACH', undefined, {
    detach: () => ignoreGone(['ENOENT'], () => progDetach(attached, at)),
    update(next) {
      const copy = duplicate(next);
      try {
        // Only among several of a cgroup does the kernel want to know which one: elsewhere the next takes the place.
        progAttach(copy, at, flag ? { flag, replace: attached } : {});
      } catch (error) {
        copy.close();
        throw error;
      }
      attached.close();
      attached = copy;
    },
    owns: [release],
  });
}
