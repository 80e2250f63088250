import { existsSync, readFileSync } from 'node:fs';

/** A mounted file system. */
export interface Mount {
  /** Such as 'bpf', 'tracefs', 'cgroup2'. */
  readonly type: string;
  /** Where it is mounted. */
  readonly path: string;
  /** What of it is mounted there: '/' unless it is a part, as a bind mount or a container has. */
  readonly root: string;
}

/** Where a file system is mounted by custom. */
const usual = {
  bpf: '/sys/fs/bpf',
  tracefs: '/sys/kernel/tracing',
  debugfs: '/sys/kernel/debug',
  cgroup2: '/sys/fs/cgroup',
} as const;

/**
 * The mounted file systems that this process sees, in the order of /proc/self/mountinfo, without those that another mount
 * at the same place hides. Any Linux.
 *
 * @returns nothing when there is no /proc
 * @example
 * ```ts
 * for (const { type, path } of findMounts()) console.log(type, path);
 * ```
 */
export function findMounts(): Mount[] {
  let text: string;
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return [];
  }
  return parseMountinfo(text);
}

/**
 * Where a file system is mounted: its usual place if it is there, or else the first. Tracefs is also found below debugfs,
 * where the kernel mounts it when it is looked at. Any Linux.
 *
 * @returns undefined when it is not mounted
 * @example
 * ```ts
 * const cgroup = mountOf('cgroup2');
 * ```
 */
export function mountOf(type: keyof typeof usual): string | undefined {
  const mounts = findMounts();
  const found = chooseMount(mounts, type);
  if (found !== undefined || type !== 'tracefs') return found;
  const debugfs = chooseMount(mounts, 'debugfs');
  return debugfs !== undefined && existsSync(`${debugfs}/tracing/events`) ? `${debugfs}/tracing` : undefined;
}

/** @internal */
export function chooseMount(mounts: readonly Mount[], type: keyof typeof usual): string | undefined {
  const ofType = mounts.filter((mount) => mount.type === type);
  const whole = ofType.filter(({ root }) => root === '/');
  return (whole.find(({ path }) => path === usual[type]) ?? whole[0] ?? ofType[0])?.path;
}

/**
 * proc_pid_mountinfo(5): ID PARENT DEVICE ROOT PATH OPTIONS [TAG…] - TYPE SOURCE OPTIONS. Lines of another form are left
 * out.
 *
 * @internal
 */
export function parseMountinfo(text: string): Mount[] {
  const byPath = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const words = line.split(' ');
    const [root, path] = words.slice(3, 5);
    // Text of the fields before it has its spaces escaped, and tags are words with a colon.
    const dash = words.indexOf('-', 6);
    const type = dash < 0 ? undefined : words[dash + 1];
    if (!root || !path || !type) continue;
    const mount = { type, path: unescaped(path), root: unescaped(root) };
    byPath.delete(mount.path);
    byPath.set(mount.path, mount);
  }
  return [...byPath.values()];
}

/** Space, tab, newline and backslash come as \040, \011, \012, \134: bytes of UTF-8, all of them ASCII. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
