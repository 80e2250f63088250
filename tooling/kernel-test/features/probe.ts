import { kernelBtf } from '@bpf/programs';
import { mapCreate, SysError, UnavailableError } from '@bpf/sys';
import type { Feature } from '../harness.ts';

/** `r0 = 0; exit`, written out so that a probe rests on as little as possible. */
export const RETURN_0 = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
export const RETURN_1 = Uint8Array.from([0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

/** bpf(2) itself: the call, and the privilege to create a map. */
export const bpfSyscall: Feature = {
  name: 'bpf(2)',
  probe() {
    mapCreate({ type: 'array', keySize: 4, valueSize: 4, maxEntries: 1 }).close();
    return undefined;
  },
};

/** The kernel's own types. */
export const btf: Feature = {
  name: 'btf',
  probe() {
    kernelBtf();
    return undefined;
  },
};

/** Loading any program, and running it once with BPF_PROG_TEST_RUN. */
export const progLoading: Feature = { ...bpfSyscall, name: 'prog/socket_filter' };

/** What the unprivileged are told. There is nothing to probe: whatever the kernel has, they may not use it. */
export const unprivileged: Feature = { name: 'errors for the unprivileged', probe: () => undefined };

/** @throws when there is none */
export function idInBtf(kind: 'func' | 'typedef' | 'struct', name: string): number {
  const id = kernelBtf().find(kind, name);
  if (id === undefined) throw new Error(`this kernel's BTF has no ${kind} ${name}`);
  return id;
}

/** Whether this kernel's enum has this name. */
export function hasEnumerator(name: string, enumerator: string): boolean {
  const type = kernelBtf().type(kernelBtf().find('enum', name) ?? 0);
  return type.kind === 'enum' && type.values.some((value) => value.name === enumerator);
}

export function inBtf(kind: 'func' | 'typedef' | 'var' | 'struct', name: string): string | undefined {
  return kernelBtf().find(kind, name) === undefined ? `this kernel's BTF has no ${kind} ${name}` : undefined;
}

/** What kernels say that lack it is the reason. */
export function linkProbe(what: string, attach: () => void): string | undefined {
  try {
    attach();
    return undefined;
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    if (!(error instanceof SysError) || !['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP'].includes(error.code)) throw error;
    return `this kernel has no ${what} (${error.code})`;
  }
}
