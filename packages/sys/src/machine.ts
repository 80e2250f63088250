import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { UnavailableError } from './error.ts';

/** What decides whether the kernel permits bpf(2). */
export interface Machine {
  /** Such as '6.1.0-18-amd64'. */
  readonly release: string;
  /** Effective capabilities, a bit each. */
  readonly capabilities: bigint;
  /** In a user namespace, whose capabilities count for nothing here. */
  readonly inUserNamespace: boolean;
  /** A seccomp filter is in force, as in most containers. */
  readonly seccomp: boolean;
}

const CAP_SYS_ADMIN = 1n << 21n;
const CAP_PERFMON = 1n << 38n;
const CAP_BPF = 1n << 39n;

const systems: Readonly<Record<string, string>> = { darwin: 'macOS', win32: 'Windows' };

/** @throws UnavailableError anywhere but on Linux */
export function requireLinux(): void {
  if (process.platform === 'linux') return;
  const system = systems[process.platform] ?? process.platform;
  throw new UnavailableError(
    `BPF is a part of Linux, and this is ${system}: run it on a Linux machine, or in a virtual one.`,
  );
}

const capabilityBits = {
  CAP_NET_ADMIN: 12n,
  CAP_SYS_ADMIN: 21n,
  CAP_SYS_RESOURCE: 24n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;

/**
 * Which of the capabilities that matter for BPF are in a set, such as {@link Machine.capabilities}: see capabilities(7).
 *
 * @example
 * ```ts
 * console.log(capabilityNames(readMachine().capabilities)); // [ 'CAP_PERFMON', 'CAP_BPF' ]
 * ```
 */
export function capabilityNames(capabilities: bigint): (keyof typeof capabilityBits)[] {
  const names = Object.keys(capabilityBits) as (keyof typeof capabilityBits)[];
  return names.filter((name) => (capabilities >> capabilityBits[name]) & 1n);
}

/** Reads the facts from /proc; what cannot be read is taken to be no obstacle. */
export function readMachine(): Machine {
  const status = read('/proc/self/status');
  const field = (name: string): string | undefined => status.match(new RegExp(`^${name}:\\s*(\\S+)`, 'm'))?.[1];
  return {
    release: release(),
    capabilities: BigInt(`0x${field('CapEff') ?? 'ffffffffffffffff'}`),
    inUserNamespace: !/^\s*0\s+0\s+4294967295\s*$/.test(read('/proc/self/uid_map') || '0 0 4294967295'),
    seccomp: field('Seccomp') === '2',
  };
}

/** Whether this kernel's release is at least this version. */
export function kernelAtLeast(release: string, major: number, minor: number): boolean {
  const [, haveMajor, haveMinor] = release.match(/^(\d+)\.(\d+)/) ?? [];
  return Number(haveMajor) > major || (Number(haveMajor) === major && Number(haveMinor) >= minor);
}

/** Whether it has what most of bpf(2) wants: then a refusal has another reason. */
export function isPrivileged({ capabilities, inUserNamespace }: Machine): boolean {
  return (capabilities & (CAP_SYS_ADMIN | CAP_BPF)) !== 0n && !inUserNamespace;
}

/** One sentence for an EPERM: why, and what to do. */
export function whyNotPermitted(machine: Machine): string {
  const has = (capability: bigint): boolean => (machine.capabilities & capability) !== 0n;
  const split = kernelAtLeast(machine.release, 5, 8);
  if (!has(CAP_SYS_ADMIN) && !(split && has(CAP_BPF) && has(CAP_PERFMON)))
    return split
      ? 'this process has no permission: it needs CAP_BPF and CAP_PERFMON, so run it as root or grant it these two capabilities.'
      : 'this process has no permission: it needs CAP_SYS_ADMIN, so run it as root.';
  if (machine.inUserNamespace)
    return 'this process has its capabilities in a user namespace only, where the kernel ignores them for BPF: run it outside, in the initial namespace.';
  if (machine.seccomp)
    return 'a seccomp filter, as containers have, may forbid bpf(2): allow the call in its profile, or run outside the container.';
  if (!kernelAtLeast(machine.release, 5, 11))
    return `Linux ${machine.release} counts BPF memory as locked memory: raise the limit with "ulimit -l unlimited".`;
  return 'this kernel refuses it although the process has the capabilities: kernel lockdown or another security policy forbids this kind of program.';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
