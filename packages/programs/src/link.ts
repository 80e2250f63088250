import { type Fd, type HasFd, type LinkInfo, linkDetach, linkGetInfo, linkUpdate, objPin, SysError } from '@bpf/sys';
import { ProgramError } from './error.ts';

/** The bpf(2) command, or the older way, that made an attachment. */
export type LinkHow =
  | 'BPF_LINK_CREATE'
  | 'BPF_RAW_TRACEPOINT_OPEN'
  | 'perf_event'
  | 'netlink'
  | 'BPF_PROG_ATTACH'
  | 'BPF_MAP_UPDATE_ELEM'
  | 'setsockopt';

/** What stands in for a bpf_link where there is none. */
export interface OlderWay {
  /** Ends the attachment. Called once; what is gone already is no error. */
  detach(): void;
  /** Puts another program in its place, where that can be done in one step. */
  update?(program: HasFd): void;
  /** What is closed with it. */
  readonly owns?: readonly Disposable[];
}

const isBpfLink = (how: LinkHow): boolean => how === 'BPF_LINK_CREATE' || how === 'BPF_RAW_TRACEPOINT_OPEN';

/** Owns an attachment, however it was made: closing it detaches. What each way can do is in a table of the README. */
export class Link implements Disposable {
  readonly how: LinkHow;
  readonly #fd: Fd | undefined;
  readonly #older: OlderWay | undefined;
  #attached = true;
  #closed = false;

  constructor(how: LinkHow, fd: Fd | undefined, older?: OlderWay) {
    this.how = how;
    this.#fd = fd;
    this.#older = older;
  }

  /**
   * The descriptor of the bpf_link, or of the perf event.
   *
   * @throws ProgramError `NOT_A_LINK` for ways that have none; TypeError after close
   */
  get fd(): number {
    this.#requireOpen();
    return this.#owner('no descriptor').fd;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What the kernel says of it; undefined for the older ways, of which it knows nothing. Linux 5.8. @throws SysError */
  info(): LinkInfo | undefined {
    this.#requireOpen();
    return isBpfLink(this.how) ? linkGetInfo(this) : undefined;
  }

  /**
   * Puts another program of the same type in the place of the one that is attached, in one step. Links on cgroups, network
   * namespaces, interfaces, sockmaps and of iterators can; of the older ways, cgroups (Linux 5.6), sockmaps, sockets, routes
   * and XDP.
   *
   * @throws ProgramError `NOT_UPDATABLE`; SysError
   */
  update(program: HasFd): void {
    this.#requireOpen();
    try {
      if (this.#older?.update) this.#older.update(program);
      else if (this.#older) throw this.#notUpdatable();
      else linkUpdate(this, { replacement: program });
    } catch (error) {
      if (this.#older) throw error;
      // The kernel says EINVAL (netfilter: EOPNOTSUPP) both of a link that never can and of a program that does not fit.
      const never = error instanceof SysError && ['EINVAL', 'EOPNOTSUPP'].includes(error.code) && !this.#updates();
      throw never ? this.#notUpdatable(error) : error;
    }
  }

  /**
   * Detaches at once, whoever else holds it: what is pinned stays as a link to nothing. Linux 5.9.
   *
   * @throws ProgramError `NOT_DETACHABLE` for links of tracing, perf events and the multi kinds, which end with
   *   their last descriptor; SysError
   */
  detach(): void {
    this.#requireOpen();
    try {
      if (this.#older) this.#detachOlder(this.#older);
      else linkDetach(this);
    } catch (error) {
      if (this.#older || !(error instanceof SysError) || error.code !== 'EOPNOTSUPP') throw error;
      throw new ProgramError(
        'NOT_DETACHABLE',
        `the kernel cannot detach a link of type ${this.info()?.type}: close it, and unlink it where it is pinned`,
        error,
      );
    }
  }

  /**
   * Gives the link a path on a bpffs, where it stays attached when this is closed and the process ends.
   *
   * @throws ProgramError `NOT_A_LINK` for the older ways; SysError as `objPin`
   */
  pin(path: string): void {
    this.#requireOpen();
    if (!isBpfLink(this.how))
      throw new ProgramError('NOT_A_LINK', `what was attached by ${this.how} is no bpf_link, and cannot be pinned`);
    objPin(path, this);
  }

  /** Hands the descriptor to the caller, who now has to close it. @throws as {@link fd} */
  disown(): number {
    this.#requireOpen();
    const fd = this.#owner('no descriptor to hand away').disown();
    this.#closed = true;
    return fd;
  }

  /** Detaches, unless it is pinned or somebody else holds the link. A second close does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#older) this.#detachOlder(this.#older);
    } finally {
      this.#fd?.close();
      for (const owner of this.#older?.owns ?? []) owner[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #detachOlder(older: OlderWay): void {
    if (!this.#attached) return;
    this.#attached = false;
    older.detach();
  }

  #requireOpen(): void {
    if (this.#closed) throw new TypeError('this Link is closed');
  }

  #owner(what: string): Fd {
    if (this.#fd) return this.#fd;
    throw new ProgramError('NOT_A_LINK', `what was attached by ${this.how} is no bpf_link, and has ${what}`);
  }

  #updates(): boolean {
    const updatable = ['cgroup', 'iter', 'netns', 'xdp', 'tcx', 'netkit', 'sockmap', 'struct_ops'];
    return updatable.includes(this.info()?.type ?? '');
  }

  #notUpdatable(cause?: unknown): ProgramError {
    const what = this.info()?.type ?? this.how;
    return new ProgramError(
      'NOT_UPDATABLE',
      `the program of an attachment by ${what} cannot be replaced: attach the other one, then close this`,
      cause,
    );
  }
}
