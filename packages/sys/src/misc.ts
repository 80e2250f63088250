import { openAttr } from './attr.ts';
import { bpfError, call, callOrThrow } from './bpf.ts';
import { nameOf, numberOf } from './check.ts';
import { Fd, type HasFd } from './fd.ts';
import { withScope } from './memory.ts';
import { statsTypes, taskFdTypes } from './uapi.gen.ts';

/** What a descriptor of a process is, when a program is on it. */
export interface TaskFdQuery {
  readonly type: keyof typeof taskFdTypes | number;
  readonly progId: number;
  /** The tracepoint, the function or the file. */
  readonly name: string;
  /** From its beginning, of a probe. */
  readonly offset: bigint;
  /** Of a kprobe that was set by address. */
  readonly address: bigint;
}

const NAME_BYTES = 4096;

/**
 * BPF_TASK_FD_QUERY: which program a process has on one of its perf events or raw tracepoints. Linux 4.18.
 *
 * @throws SysError 'EBADF' or 'ENOENT' when there is no such descriptor or process, 'ENOTSUPP' when nothing is on it
 */
export function taskFdQuery(pid: number, fd: number): TaskFdQuery {
  return withScope((scope) => {
    const name = scope.alloc(NAME_BYTES);
    const attr = openAttr(scope, 'BPF_TASK_FD_QUERY', { pid, fd, buf_len: NAME_BYTES, buf: name.address });
    const result = call(attr);
    if (result < 0) throw bpfError(attr, -result);
    return {
      type: nameOf(taskFdTypes, attr.get('fd_type')),
      progId: attr.get('prog_id'),
      name: new TextDecoder().decode(name.bytes.subarray(0, name.bytes.indexOf(0))),
      offset: attr.memory.view.getBigUint64(32, true),
      address: attr.memory.view.getBigUint64(40, true),
    };
  });
}

/**
 * BPF_ENABLE_STATS: counts the runs of all programs and their time, until the descriptor is closed. Linux 5.8.
 *
 * @throws SysError, UnavailableError
 * @example
 * ```ts
 * using stats = enableStats();
 * ```
 */
export function enableStats(type: keyof typeof statsTypes = 'run_time'): Fd {
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_ENABLE_STATS', { type: numberOf(statsTypes, type, 'kind of statistics') });
    return new Fd(callOrThrow(attr));
  });
}

/**
 * BPF_TOKEN_CREATE: a token that lets a process in a user namespace do what the mount options of a bpffs delegate.
 * Linux 6.9.
 *
 * @param bpffs the root directory of a bpffs that was mounted in the caller's user namespace
 * @throws SysError 'ENOENT' when nothing is delegated, 'EOPNOTSUPP' in the initial user namespace; UnavailableError
 */
export function tokenCreate(bpffs: HasFd): Fd {
  return withScope((scope) => new Fd(callOrThrow(openAttr(scope, 'BPF_TOKEN_CREATE', { bpffs_fd: bpffs.fd }))));
}
