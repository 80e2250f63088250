// Attaching to places that are not there: what knows the kind says so, and what does not says EINVAL.
import { existsSync } from 'node:fs';
import { type AttachType, type HasFd, linkCreate, type ProgType, perfEventOpen, progLoad } from '@bpf/sys';
import type { Asked } from './answer.ts';
import { minimal, returns } from './minimal.ts';

export interface AttachWay extends Asked {
  /** As in `attempt`. */
  run(): boolean;
  /** The errors of a kernel that knows it and does not find the place. */
  readonly exists?: readonly string[];
}

type Way = Pick<AttachWay, 'run' | 'exists'>;

/** No process has so many, and no machine such an interface. */
const NOWHERE = 0x7fff_ffff;
const noFile: HasFd = { fd: NOWHERE };

export function withProgram(
  type: ProgType,
  attachType: AttachType | undefined,
  run: (prog: HasFd) => { close(): void },
): true {
  using prog = progLoad(minimal(type, { ...(attachType && { expectedAttachType: attachType }), insns: returns(1) }));
  run(prog).close();
  return true;
}

/** A link on a descriptor that is not open. */
export function onFile(type: ProgType, attachType: AttachType, loadedFor: 'it' | 'none' = 'it'): Way {
  const expected = loadedFor === 'it' ? attachType : undefined;
  return {
    run: () => withProgram(type, expected, (prog) => linkCreate({ prog, attachType, target: noFile })),
    exists: ['EBADF'],
  };
}

/** A link on an interface that is not there. */
export const onInterface = (attachType: AttachType): Way => ({
  run: () => withProgram('sched_cls', undefined, (prog) => linkCreate({ prog, attachType, ifindex: NOWHERE })),
  exists: ['ENODEV'],
});

/** A link on a function that is not there. */
export const onSymbol = (attachType: AttachType): Way => ({
  run: () =>
    withProgram('kprobe', attachType, (prog) =>
      linkCreate({ prog, attachType, kprobeMulti: { symbols: ['bpf_no_such_function'] } }),
    ),
  exists: ['ESRCH', 'ENOENT'],
});

/** A link on a place in a folder, which is no file. */
export const onFolder = (attachType: AttachType): Way => ({
  run: () =>
    withProgram('kprobe', attachType, (prog) =>
      linkCreate({ prog, attachType, uprobeMulti: { path: '/', offsets: [0n] } }),
    ),
  exists: ['EBADF'],
});

const PMUS = '/sys/bus/event_source/devices';

/** A probe on something that is not there, so that no code is changed for it. */
export const event = (type: 'kprobe' | 'uprobe', config1: string): Way => ({
  run: () => {
    // One of the files of /sys that are there for each of them.
    if (existsSync(PMUS) && !existsSync(`${PMUS}/${type}`)) return false;
    perfEventOpen({ type, config: 0, config1, disabled: true }).close();
    return true;
  },
  exists: ['ENOENT'],
});
