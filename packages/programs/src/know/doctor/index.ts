import { type Evidence, evidenceBelow } from './evidence.ts';
import type { Finding } from './finding.ts';
import {
  architecture,
  bpfCall,
  jit,
  kernelTypes,
  koffi,
  linux,
  lockdown,
  securityModules,
  unprivilegedBpf,
} from './kernel.ts';
import { fentry, fprobe, kprobes, mounted } from './places.ts';
import { capabilities, kernelAddresses, memlock, perfEventParanoid, seccomp, userNamespace } from './process.ts';

export type { Finding } from './finding.ts';

/**
 * Looks at all that decides what this process may do with BPF on this machine, and what to do where it may not. Works for
 * everybody and anywhere, and throws nothing: what cannot be read is a finding too.
 *
 * @example
 * ```ts
 * for (const { status, name, found, advice } of doctor())
 *   if (status !== 'ok') console.log(`${status}: ${name}: ${found}; ${advice}`);
 * ```
 */
export function doctor(): Finding[] {
  return examine(evidenceBelow('/'));
}

/** The findings of other evidence than this machine's: for tests. @internal */
export function examine(evidence: Evidence): Finding[] {
  const first = linux(evidence);
  if (first.status === 'problem') return [first];
  return [
    first,
    architecture(evidence),
    koffi(evidence),
    bpfCall(evidence),
    capabilities(evidence),
    userNamespace(evidence),
    seccomp(evidence),
    unprivilegedBpf(evidence),
    lockdown(evidence),
    securityModules(evidence),
    memlock(evidence),
    kernelTypes(evidence),
    mounted(evidence, 'bpffs'),
    mounted(evidence, 'tracefs'),
    mounted(evidence, 'cgroup2'),
    perfEventParanoid(evidence),
    kernelAddresses(evidence),
    jit(evidence),
    fentry(evidence),
    kprobes(evidence),
    fprobe(evidence),
  ];
}
