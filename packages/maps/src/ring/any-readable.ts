import { type HasFd, pollFd } from '@bpf/sys';
import type { WaitForEvents } from './events.ts';

/** Waits until one of several descriptors can be read. Those that were not keep their wait for the next time. @internal */
export function anyReadable(fds: readonly HasFd[]): WaitForEvents {
  const idle = new Set(fds);
  let ended = 0;
  let settle: { resolve: (readable: boolean) => void; reject: (reason: unknown) => void };
  return (signal) =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      for (const fd of idle) {
        idle.delete(fd);
        pollFd(fd, { signal }).then(
          (readable) => {
            if (readable) idle.add(fd);
            else ended++;
            if (readable || ended === fds.length) settle.resolve(readable);
          },
          (reason) => settle.reject(reason),
        );
      }
    });
}
