import { sysError } from './error.ts';
import { getLibc } from './libc.ts';
import { alloc, LE, type NativeMemory, withScope } from './memory.ts';
import { pinKoffi } from './pin-koffi.ts';
import { rawSyscall } from './raw-syscall.ts';

export const EPOLLIN = 0x1;
export const EPOLLONESHOT = 0x4000_0000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0o2000000;

/** struct epoll_event: events at 0, then 8 bytes of data, which x86-64 packs. */
const DATA_AT = process.arch === 'x64' ? 4 : 8;
const EVENT_BYTES = DATA_AT + 8;
const MAX_EVENTS = 64;

/** What is called when the event loop finds the epoll ready, with the descriptors that are and their events. */
export type OnEvents = (ready: readonly { readonly fd: number; readonly events: number }[]) => void;

/** One epoll descriptor for a thread, with one libuv handle on it: no thread and no handle for each descriptor. @internal */
export class Epoll {
  readonly #fd: number;
  readonly #handle: { ref(): void; unref(): void };
  readonly #events: NativeMemory;
  readonly #onEvents: OnEvents;

  /** @throws SysError, UnavailableError */
  constructor(onEvents: OnEvents) {
    const { koffi, syscall, numbers, errno } = getLibc();
    this.#fd = syscall(numbers.epoll_create1, EPOLL_CLOEXEC, 0, 0);
    if (this.#fd < 0) throw sysError('epoll_create1', errno[0] as number);
    this.#onEvents = onEvents;
    this.#events = alloc(MAX_EVENTS * EVENT_BYTES);
    pinKoffi();
    // koffi ends the process when libuv refuses a descriptor, and libuv does when one is closed under its eyes: so it sees
    // this one only, which is never closed. Its callback runs outside of Node's turns: what awaits a promise that it
    // resolves would wait for the next one.
    this.#handle = koffi.node.poll(this.#fd, () => {
      setImmediate(() => this.#take());
    });
    this.unref();
    // libuv adds it to its own epoll when it polls next, and what was ready by then may be forgotten: see poll.ts. Called
    // while it polls, that is a turn later.
    setImmediate(() => setImmediate(() => this.#take()));
  }

  /** epoll_ctl(2). @returns errno, or 0 */
  control(operation: number, fd: number, events = 0): number {
    return withScope((scope) => {
      const event = scope.alloc(EVENT_BYTES);
      event.view.setUint32(0, events, LE);
      event.view.setUint32(DATA_AT, fd, LE);
      return -Number(rawSyscall(getLibc().numbers.epoll_ctl, this.#fd, operation, fd, event));
    });
  }

  /** Whether this keeps the process alive. */
  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  #take(): void {
    const { address, view } = this.#events;
    const count = Number(rawSyscall(getLibc().numbers.epoll_pwait, this.#fd, address, MAX_EVENTS, 0, 0, 8));
    const ready = [];
    for (let at = 0; at < count * EVENT_BYTES; at += EVENT_BYTES)
      ready.push({ fd: view.getUint32(at + DATA_AT, LE), events: view.getUint32(at, LE) });
    this.#onEvents(ready);
  }
}
