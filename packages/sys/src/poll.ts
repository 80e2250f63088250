import { readlinkSync } from 'node:fs';
import { EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, EPOLLIN, EPOLLONESHOT, Epoll, type OnEvents } from './epoll.ts';
import { sysError } from './error.ts';
import { beforeClose, type FdLike, fdNumber } from './fd.ts';

const EPERM = 1;
const EEXIST = 17;

/** A descriptor that is in the epoll. */
interface Watch {
  /** Ends each wait. */
  readonly ends: Set<(readable: boolean) => void>;
  /** Of a perf event, which stays in the epoll: that there was something while nobody waited. */
  pending: boolean;
  readonly stays: boolean;
}

let epoll: Epoll | undefined;
const watches = new Map<number, Watch>();
let waiting = 0;

/**
 * Waits until a descriptor can be read, without blocking the event loop: a ring buffer map, a perf event whose buffer is
 * mapped, an eventfd, a pipe. What has no notion of waiting (a file, an iterator) can always be read. A wait keeps the
 * process alive. It may end although there is nothing, so read without blocking; the first on a perf event always does.
 * Any Linux.
 *
 * The first wait of a thread opens an epoll descriptor, which stays open until the process ends.
 *
 * @param fd an owner such as {@link Fd} ends the wait when it is closed; a mere number that is closed elsewhere does not
 * @returns true when it can be read; false when nothing more will come: it was closed, or its other end was
 * @throws the signal's reason when that aborts; SysError 'EBADF'; TypeError when the owner is closed already
 * @example
 * ```ts
 * do drain(ringBuffer);
 * while (await pollFd(ringBuffer));
 * ```
 */
export async function pollFd(fd: FdLike, options: { readonly signal?: AbortSignal } = {}): Promise<boolean> {
  const { signal } = options;
  const number = fdNumber(fd);
  signal?.throwIfAborted();
  const watch = startWatch(number);
  if (watch === undefined) return true;
  return new Promise((resolve, reject) => {
    const done = (): void => {
      signal?.removeEventListener('abort', abort);
      watch.ends.delete(end);
      if (--waiting === 0) epoll?.unref();
      if (watch.ends.size === 0 && !watch.stays) stopWatch(number, watch);
    };
    const end = (readable: boolean): void => {
      done();
      resolve(readable);
    };
    const abort = (): void => {
      done();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    watch.ends.add(end);
    if (++waiting === 1) epoll?.ref();
  });
}

/** Puts a descriptor into the epoll. @returns undefined when there is no need to wait */
function startWatch(fd: number): Watch | undefined {
  epoll ??= new Epoll(onEvents);
  // Asking a perf event whether there is something makes it forget that. The kernel asks when it is put into the epoll, and
  // libuv's epoll when it looks whether this one is ready: so it is put there once and stays, and all of them are taken to
  // be readable whenever libuv finds something.
  const stays = isPerfEvent(fd);
  const events = stays ? EPOLLIN : EPOLLIN | EPOLLONESHOT;
  const errno = epoll.control(EPOLL_CTL_ADD, fd, events);
  if (errno === EPERM) return undefined;
  if (errno !== 0 && errno !== EEXIST) throw sysError('epoll_ctl', errno, `descriptor ${fd}`);
  const known = watches.get(fd);
  if (errno === 0 || known === undefined) {
    const watch: Watch = { ends: new Set(), pending: false, stays };
    watches.set(fd, watch);
    beforeClose.set(fd, () => endWatch(fd, watch));
    // Its descriptor was closed behind our back, and this is another one.
    if (known !== undefined) endWatch(fd, known);
    return stays ? undefined : watch;
  }
  if (!stays) epoll.control(EPOLL_CTL_MOD, fd, events);
  if (!known.pending) return known;
  known.pending = false;
  return undefined;
}

function endWatch(fd: number, watch: Watch): void {
  wake(watch, false);
  stopWatch(fd, watch);
}

function stopWatch(fd: number, watch: Watch): void {
  if (watches.get(fd) !== watch) return;
  watches.delete(fd);
  beforeClose.delete(fd);
  // It fails when the descriptor was closed behind our back, and the kernel has forgotten it.
  epoll?.control(EPOLL_CTL_DEL, fd);
}

function wake(watch: Watch, readable: boolean): void {
  watch.pending = watch.ends.size === 0;
  for (const end of watch.ends) end(readable);
}

const onEvents: OnEvents = (ready) => {
  for (const { fd, events } of ready) {
    const watch = watches.get(fd);
    const readable = (events & EPOLLIN) !== 0;
    // A perf event whose process has ended stays ready, and goes.
    if (watch !== undefined && !readable) endWatch(fd, watch);
    else if (watch !== undefined && !watch.stays) wake(watch, true);
  }
  for (const watch of watches.values()) if (watch.stays) wake(watch, true);
};

function isPerfEvent(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === 'anon_inode:[perf_event]';
  } catch {
    return false;
  }
}
