import { openAttr } from './attr.ts';
import { callOrThrow } from './bpf.ts';
import { numberOf } from './check.ts';
import { Fd, type HasFd } from './fd.ts';
import { withScope } from './memory.ts';
import { mapFlags } from './uapi.gen.ts';

/** Where a relative path starts: the descriptor of a directory. Linux 6.5. */
export interface ObjPath {
  readonly dir?: HasFd;
}

/**
 * BPF_OBJ_PIN: gives a map, program or link a path on a bpffs, which keeps it alive when nothing else holds it. Linux 4.4
 * (links 5.7).
 *
 * @param path on a mounted bpffs, such as `/sys/fs/bpf/counts`; its directory exists
 * @throws SysError 'EEXIST' when the path is taken, 'ENOENT' when its directory is not there, 'EPERM' when it is on another
 *   file system
 * @example
 * ```ts
 * objPin('/sys/fs/bpf/counts', map);
 * using again = objGet('/sys/fs/bpf/counts');
 * ```
 */
export function objPin(path: string, object: HasFd, options: ObjPath = {}): void {
  withScope((scope) => {
    const pathname = scope.cString(checkPath(path));
    const attr = openAttr(scope, 'BPF_OBJ_PIN', { pathname, bpf_fd: object.fd, ...relative(options) });
    callOrThrow(attr, { path });
  });
}

/**
 * BPF_OBJ_GET: opens what is pinned at a path. Linux 4.4.
 *
 * @param options.access 'rdonly' or 'wronly' for a map that this descriptor may only be read or written through. Linux 4.15
 * @throws SysError 'ENOENT' when there is nothing, 'EACCES' when it is no BPF object
 */
export function objGet(path: string, options: ObjPath & { readonly access?: 'rdonly' | 'wronly' } = {}): Fd {
  return withScope((scope) => {
    const { path_fd = 0, file_flags = 0 } = relative(options);
    const access = options.access === undefined ? 0 : numberOf(mapFlags, options.access, 'access');
    const attr = openAttr(scope, 'BPF_OBJ_GET', {
      pathname: scope.cString(checkPath(path)),
      file_flags: file_flags | access,
      path_fd,
    });
    return new Fd(callOrThrow(attr, { path }));
  });
}

function relative({ dir }: ObjPath): { path_fd?: number; file_flags?: number } {
  return dir === undefined ? {} : { path_fd: dir.fd, file_flags: mapFlags.path_fd };
}

function checkPath(path: string): string {
  if (!path.includes('\0')) return path;
  throw new RangeError('the path has a NUL in it, where the kernel would end it');
}
