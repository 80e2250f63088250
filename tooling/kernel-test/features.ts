import { readFileSync } from 'node:fs';
import { kernelBtf } from '@bpf/programs';
import {
  capabilityNames,
  type LinkCreateOptions,
  linkCreate,
  type MapType,
  mapCreate,
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_COUNT_SW_CPU_CLOCK,
  type PerfEventOptions,
  perfEventOpen,
  progLoad,
  readMachine,
  SysError,
  tracepointId,
} from '@bpf/sys';
import { ifIndex, tcClsactAdd, tcFilterAdd, xdpAttach } from '@bpf/sys/netlink';
import type { Feature } from './harness.ts';
import { addVeth, inNetns } from './netns.ts';

/** `r0 = 0; exit`, written out so that a probe rests on as little as possible. */
const RETURN_0 = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

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

/** A map type, tried by making one. */
export function mapType(type: MapType, make: (type: MapType) => { close(): void }): Feature {
  return {
    name: `map/${type}`,
    probe() {
      make(type).close();
      return undefined;
    },
  };
}

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

/** Links on cgroups: Linux 5.7. */
export const cgroupLinks: Feature = { ...bpfSyscall, name: 'attach/cgroup' };

/** Many functions with one link, where the kernel has fprobe: Linux 5.18. */
export const kprobeMulti: Feature = multi('attach/kprobe_multi', 'trace_kprobe_multi', {
  kprobeMulti: { symbols: ['vfs_read'] },
});
/** Linux 6.6. */
export const uprobeMulti: Feature = multi('attach/uprobe_multi', 'trace_uprobe_multi', {
  uprobeMulti: { path: '/proc/self/exe', offsets: [64n] },
});

function multi(
  name: string,
  attachType: 'trace_kprobe_multi' | 'trace_uprobe_multi',
  places: Partial<Pick<LinkCreateOptions, 'kprobeMulti' | 'uprobeMulti'>>,
): Feature {
  return {
    name,
    probe() {
      try {
        using prog = progLoad({ type: 'kprobe', expectedAttachType: attachType, insns: RETURN_0, license: 'GPL' });
        linkCreate({ prog, attachType, ...places }).close();
        return undefined;
      } catch (error) {
        if (!(error instanceof SysError) || !['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP'].includes(error.code)) throw error;
        return `this kernel has no ${attachType} links (${error.code})`;
      }
    },
  };
}

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

/** @throws when there is none */
export function idInBtf(kind: 'func' | 'typedef' | 'struct', name: string): number {
  const id = kernelBtf().find(kind, name);
  if (id === undefined) throw new Error(`this kernel's BTF has no ${kind} ${name}`);
  return id;
}

function inBtf(kind: 'func' | 'typedef' | 'var', name: string): string | undefined {
  return kernelBtf().find(kind, name) === undefined ? `this kernel's BTF has no ${kind} ${name}` : undefined;
}

/** XDP programs on an interface, attached by netlink: tried in a network namespace of its own. */
export const netlinkXdp: Feature = {
  name: 'netlink/xdp',
  probe() {
    using prog = progLoad({ type: 'xdp', insns: RETURN_0, license: 'GPL' });
    return inNetns(() => {
      addVeth('a', 'b');
      xdpAttach({ ifindex: ifIndex('a'), prog, mode: 'skb' });
      return undefined;
    });
  },
};

/** Filters of kind bpf on an interface's clsact, added by netlink. */
export const netlinkTc: Feature = {
  name: 'netlink/tc',
  probe() {
    using prog = progLoad({ type: 'sched_cls', insns: RETURN_0, license: 'GPL' });
    return inNetns(() => {
      addVeth('a', 'b');
      const ifindex = ifIndex('a');
      tcClsactAdd(ifindex);
      tcFilterAdd({ ifindex, direction: 'ingress', prog, name: 'probe' });
      return undefined;
    });
  },
};

/** Events of perf_event_open(2), tried by opening one. */
function perfEvent(name: string, options: () => PerfEventOptions): Feature {
  return {
    name: `perf/${name}`,
    probe() {
      perfEventOpen({ ...options(), disabled: true }).close();
      return undefined;
    },
  };
}

export const perfSoftware: Feature = perfEvent('software', () => ({
  type: 'software',
  config: PERF_COUNT_SW_CPU_CLOCK,
  pid: 0,
  cpu: -1,
}));
export const perfTracepoint: Feature = perfEvent('tracepoint', () => ({
  type: 'tracepoint',
  config: tracepointId('sched', 'sched_switch'),
}));
export const perfKprobe: Feature = perfEvent('kprobe', () => ({
  type: 'kprobe',
  config: 0,
  config1: 'do_sys_openat2',
}));
export const perfUprobe: Feature = perfEvent('uprobe', () => ({
  type: 'uprobe',
  config: 0,
  config1: process.execPath,
}));

/** Mapping an array map into this process. */
export const mapMmap: Feature = {
  name: 'map/mmap',
  probe() {
    mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: ['mmapable'] }).close();
    return undefined;
  },
};

/** Waiting for a ring buffer. */
export const pollRingbuf: Feature = {
  name: 'poll/ringbuf',
  probe() {
    mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 65_536 }).close();
    return undefined;
  },
};

/** The limit of locked memory, which Linux before 5.11 counts maps against. */
export const memlock: Feature = {
  name: 'rlimit/memlock',
  probe: () =>
    bpfSyscall.probe() ??
    (capabilityNames(readMachine().capabilities).includes('CAP_SYS_RESOURCE')
      ? undefined
      : 'this process may not raise limits: it has no CAP_SYS_RESOURCE'),
};

/** Samples that programs write. */
export const perfBpfOutput: Feature = perfEvent('bpf_output', () => ({
  type: 'software',
  config: PERF_COUNT_SW_BPF_OUTPUT,
}));
