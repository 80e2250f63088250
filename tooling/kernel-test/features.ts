import { readFileSync } from 'node:fs';
import { kernelBtf } from '@bpf/programs';
import { mapCreate, progLoad, SysError } from '@bpf/sys';
import type { Feature } from './harness.ts';

/** `r0 = 0; exit`, written out so that a probe rests on as little as possible. */
const RETURN_0 = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

/** bpf(2) itself: the call, and the privilege to create a map. */
const bpfSyscall: Feature = {
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

export const hashMap: Feature = { ...bpfSyscall, name: 'map/hash' };
export const arrayMap: Feature = { ...bpfSyscall, name: 'map/array' };

/** Loading any program, and running it once with BPF_PROG_TEST_RUN. */
export const progLoading: Feature = { ...bpfSyscall, name: 'prog/socket_filter' };

/** Instructions that came with a release: tried one by one, as their bytes. */
export const atomics: Feature = instruction('isa/atomics', 'lock *(u64 *)(r10 - 8) |= r1', 'db1af8ff40000000');
export const isaV4: Feature = instruction('isa/v4', 'r1 = bswap16 r1', 'd701000010000000');
export const acquireRelease: Feature = instruction('isa/acquire_release', 'store_release', 'db1af8ff10010000');
export const mayGotoLoop: Feature = instruction('isa/may_goto', 'may_goto +1', 'e500010000000000b701000000000000');
/** Wants more than instructions, and is there in every kernel of the matrix. */
export const mapValueAddress: Feature = { ...bpfSyscall, name: 'isa/map_value' };
export const kfuncs: Feature = {
  name: 'isa/kfunc',
  probe: () => bpfSyscall.probe() ?? inBtf('func', 'bpf_rcu_read_lock'),
};

export const kernelVariables: Feature = {
  name: 'isa/ksym_var',
  probe: () =>
    bpfSyscall.probe() ??
    inBtf('var', 'runqueues') ??
    (readFileSync('/proc/kallsyms', 'latin1').includes(' runqueues\n')
      ? undefined
      : "this kernel's kallsyms has no variables"),
};

/** An instruction on r1 and the stack at -8, both of which are written before it. */
function instruction(name: string, text: string, hex: string): Feature {
  const program = ['b701000000000000', '7b1af8ff00000000', hex, 'b700000000000000', '9500000000000000'].join('');
  return {
    name,
    probe() {
      try {
        progLoad({ type: 'socket_filter', insns: Buffer.from(program, 'hex'), license: 'GPL' }).close();
        return undefined;
      } catch (error) {
        if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
        return `this kernel's verifier does not know \`${text}\``;
      }
    },
  };
}

export const rawTracepoint: Feature = { ...bpfSyscall, name: 'attach/raw_tracepoint' };

export const tpBtf: Feature = {
  name: 'attach/tp_btf',
  probe: () => bpfSyscall.probe() ?? inBtf('typedef', 'btf_trace_sched_process_fork'),
};

/** An iterator that this kernel's BTF offers. */
export function iterator(target: string): Feature {
  return { name: `iter/${target}`, probe: () => bpfSyscall.probe() ?? inBtf('func', `bpf_iter_${target}`) };
}

/** What the unprivileged are told. There is nothing to probe: whatever the kernel has, they may not use it. */
export const unprivileged: Feature = { name: 'errors for the unprivileged', probe: () => undefined };

/** Programs on the entry and return of kernel functions, which some kernels refuse by policy. */
export const fentry: Feature = tracing('attach/fentry', 'trace_fentry');
export const fexit: Feature = tracing('attach/fexit', 'trace_fexit');
export const fmodRet: Feature = tracing('attach/fmod_ret', 'modify_return');

function tracing(name: string, attachType: 'trace_fentry' | 'trace_fexit' | 'modify_return'): Feature {
  const target = attachType === 'modify_return' ? 'security_task_setnice' : 'bpf_fentry_test1';
  return {
    name,
    probe() {
      const missing = bpfSyscall.probe() ?? inBtf('func', target);
      if (missing !== undefined) return missing;
      const attachBtfId = kernelBtf().find('func', target) ?? 0;
      // An UnavailableError is the reason; any other failure is one for the test to show.
      try {
        progLoad({
          type: 'tracing',
          expectedAttachType: attachType,
          attachBtfId,
          insns: RETURN_0,
          license: 'GPL',
        }).close();
      } catch (error) {
        if (!(error instanceof SysError) || error.code === 'EPERM') throw error;
      }
      return undefined;
    },
  };
}

function inBtf(kind: 'func' | 'typedef' | 'var', name: string): string | undefined {
  return kernelBtf().find(kind, name) === undefined ? `this kernel's BTF has no ${kind} ${name}` : undefined;
}
