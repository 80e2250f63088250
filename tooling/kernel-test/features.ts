import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { haveHelper, kernelBtf } from '@bpf/programs';
import {
  type AttachType,
  capabilityNames,
  type LinkCreateOptions,
  linkCreate,
  type MapType,
  mapCreate,
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_COUNT_SW_CPU_CLOCK,
  type PerfEventOptions,
  type ProgFlag,
  type ProgType,
  perfEventOpen,
  progAttach,
  progDetach,
  progLoad,
  rawTracepointOpen,
  readMachine,
  SysError,
  tracepointId,
  UnavailableError,
} from '@bpf/sys';
import { ifIndex, tcClsactAdd, tcFilterAdd, xdpAttach } from '@bpf/sys/netlink';
import { withCgroup } from './cgroup.ts';
import type { Feature } from './harness.ts';
import { addNetkit, addVeth, inNetns } from './netns.ts';

/** `r0 = 0; exit`, written out so that a probe rests on as little as possible. */
const RETURN_0 = Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
const RETURN_1 = Uint8Array.from([0xb7, 0, 0, 0, 1, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);

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

/** Something that maps of a type can do on some kernels only, tried by doing it. */
export function mapOperation(type: MapType, operation: string, attempt: () => void): Feature {
  return {
    name: `map/${type}/${operation}`,
    probe() {
      try {
        attempt();
        return undefined;
      } catch (error) {
        if (error instanceof UnavailableError || !(error instanceof SysError)) throw error;
        if (!['EINVAL', 'ENOTSUPP', 'EOPNOTSUPP', 'EBADF'].includes(error.code)) throw error;
        return `this kernel has no ${operation} for maps of type ${type} (${error.code})`;
      }
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
  uprobeMulti: { path: '/proc/self/exe', offsets: [entryOffset()] },
});

/** Where in the file of this very program its first instruction is: the kernel takes no uprobe at what is none. */
export function entryOffset(): bigint {
  const file = openSync('/proc/self/exe', 'r');
  const read = (offset: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(bytes);
    readSync(file, buffer, 0, bytes, offset);
    return buffer;
  };
  try {
    const header = read(0, 64);
    const entry = header.readBigUInt64LE(24);
    for (let i = 0; i < header.readUInt16LE(56); i++) {
      const segment = read(Number(header.readBigUInt64LE(32)) + 56 * i, 56);
      const [offset, address, bytes] = [8, 16, 32].map((at) => segment.readBigUInt64LE(at)) as [bigint, bigint, bigint];
      if (segment.readUInt32LE(0) === 1 && entry >= address && entry < address + bytes) return entry - address + offset;
    }
    throw new Error('this program starts nowhere');
  } finally {
    closeSync(file);
  }
}

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

/** Whether this kernel's enum has this name. */
export function hasEnumerator(name: string, enumerator: string): boolean {
  const type = kernelBtf().type(kernelBtf().find('enum', name) ?? 0);
  return type.kind === 'enum' && type.values.some((value) => value.name === enumerator);
}

function inBtf(kind: 'func' | 'typedef' | 'var' | 'struct', name: string): string | undefined {
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

// What packages/programs attaches, each kind tried by loading and attaching a program that does nothing.

export const attachTracepoint: Feature = { ...perfTracepoint, name: 'attach/tracepoint' };
export const attachKprobe: Feature = { ...perfKprobe, name: 'attach/kprobe' };
export const attachUprobe: Feature = { ...perfUprobe, name: 'attach/uprobe' };
export const attachPerfEvent: Feature = { ...perfSoftware, name: 'attach/perf_event' };
export const attachXdp: Feature = { ...netlinkXdp, name: 'attach/xdp' };
export const attachTc: Feature = { ...netlinkTc, name: 'attach/tc' };
/** Neither needs more than bpf(2), on every kernel since 5.10. */
export const attachNetns: Feature = { ...bpfSyscall, name: 'attach/netns' };
export const attachSocket: Feature = { ...bpfSyscall, name: 'attach/socket' };

/** An LSM hook, where BPF is one of the security modules: otherwise its programs attach and may never run. */
export const attachLsm: Feature = {
  name: 'attach/lsm',
  probe() {
    const missing = bpfSyscall.probe() ?? inBtf('func', 'bpf_lsm_file_open');
    if (missing !== undefined) return missing;
    using prog = progLoad({
      type: 'lsm',
      expectedAttachType: 'lsm_mac',
      attachBtfId: idInBtf('func', 'bpf_lsm_file_open'),
      insns: RETURN_0,
      license: 'GPL',
    });
    rawTracepointOpen({ prog }).close();
    const modules = readFileSync('/sys/kernel/security/lsm', 'utf8');
    return modules.split(',').includes('bpf') ? undefined : `bpf is not among the security modules (${modules})`;
  },
};

/** LSM hooks for the processes of a cgroup: Linux 6.0. */
export const attachLsmCgroup: Feature = {
  name: 'attach/lsm_cgroup',
  probe: () =>
    inBtf('func', 'bpf_lsm_socket_bind') ??
    linkProbe('lsm_cgroup links', () => {
      using prog = progLoad({
        type: 'lsm',
        expectedAttachType: 'lsm_cgroup',
        attachBtfId: idInBtf('func', 'bpf_lsm_socket_bind'),
        insns: RETURN_1,
        license: 'GPL',
      });
      withCgroup((target) => linkCreate({ prog, attachType: 'lsm_cgroup', target }).close());
    }),
};

/** Hooks of AF_UNIX on cgroups: Linux 6.7. */
export const attachCgroupUnix: Feature = {
  name: 'attach/cgroup_unix',
  probe: () =>
    linkProbe('hooks of AF_UNIX on cgroups', () => {
      const attachType = 'cgroup_unix_connect';
      using prog = progLoad({
        type: 'cgroup_sock_addr',
        expectedAttachType: attachType,
        insns: RETURN_1,
        license: 'GPL',
      });
      withCgroup((target) => linkCreate({ prog, attachType, target }).close());
    }),
};

export const attachSockmap: Feature = sockmap('attach/sockmap', 'sk_msg', 'sk_msg_verdict');
/** Without a parser: Linux 5.13. */
export const attachSkSkbVerdict: Feature = sockmap('attach/sk_skb_verdict', 'sk_skb', 'sk_skb_verdict');

function sockmap(name: string, type: 'sk_msg' | 'sk_skb', attachType: 'sk_msg_verdict' | 'sk_skb_verdict'): Feature {
  return {
    name,
    probe: () =>
      linkProbe(`${attachType} programs`, () => {
        using target = mapCreate({ type: 'sockmap', keySize: 4, valueSize: 4, maxEntries: 1 });
        using prog = progLoad({ type, expectedAttachType: attachType, insns: RETURN_1, license: 'GPL' });
        progAttach(prog, { target, attachType });
        progDetach(prog, { target, attachType });
      }),
  };
}

/** Linux 6.4. */
export const attachNetfilter: Feature = {
  name: 'attach/netfilter',
  probe: () =>
    linkProbe('netfilter links', () => {
      const attachType = 'netfilter';
      using prog = progLoad({ type: 'netfilter', expectedAttachType: attachType, insns: RETURN_1, license: 'GPL' });
      inNetns(() => linkCreate({ prog, attachType, netfilter: { pf: 2, hooknum: 1, priority: 1 } }).close());
    }),
};

/** Linux 6.7. */
export const attachNetkit: Feature = {
  name: 'attach/netkit',
  probe: () => {
    inNetns(() => addNetkit('nk0', 'nk1'));
    return undefined;
  },
};

/** Replacing a function of another program. The kernel patches the call, which some refuse by policy. */
export const attachExt: Feature = {
  name: 'attach/ext',
  probe() {
    // An ext program without a target is EINVAL, unless the type itself is refused.
    try {
      progLoad({ type: 'ext', insns: RETURN_0, license: 'GPL' }).close();
    } catch (error) {
      if (!(error instanceof SysError) || error.code !== 'EINVAL') throw error;
    }
    return fentry.probe();
  },
};

/** At entry and return, with what one tells the other. */
export const fsession: Feature = {
  name: 'attach/fsession',
  probe: () =>
    fentry.probe() ??
    inBtf('func', 'security_task_setnice') ??
    linkProbe('programs on entry and return (fsession)', () => {
      const attachBtfId = idInBtf('func', 'security_task_setnice');
      const options = { expectedAttachType: 'trace_fsession', attachBtfId, insns: RETURN_0, license: 'GPL' } as const;
      using prog = progLoad({ type: 'tracing', ...options });
      linkCreate({ prog, attachType: 'trace_fsession' }).close();
    }),
};

/** A congestion control of TCP: Linux 5.6. */
export const attachStructOps: Feature = {
  name: 'attach/struct_ops',
  probe() {
    const missing = bpfSyscall.probe() ?? inBtf('struct', 'bpf_struct_ops_tcp_congestion_ops');
    if (missing !== undefined) return missing;
    // The first member is no function, which is EINVAL or EACCES, unless the type itself is refused.
    try {
      const attachBtfId = idInBtf('struct', 'tcp_congestion_ops');
      progLoad({ type: 'struct_ops', attachBtfId, expectedAttachType: 0, insns: RETURN_0, license: 'GPL' }).close();
    } catch (error) {
      if (error instanceof UnavailableError || !(error instanceof SysError)) throw error;
    }
    return undefined;
  },
};

/** What kernels say that lack it is the reason. */
function linkProbe(what: string, attach: () => void): string | undefined {
  try {
    attach();
    return undefined;
  } catch (error) {
    if (error instanceof UnavailableError) return error.message;
    if (!(error instanceof SysError) || !['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP'].includes(error.code)) throw error;
    return `this kernel has no ${what} (${error.code})`;
  }
}

// What packages/programs knows of a machine. Probes and the doctor answer everywhere: that is what they are for.
export const knowProbes: Feature = { name: 'know/probes', probe: () => undefined };
export const knowDoctor: Feature = { name: 'know/doctor', probe: () => undefined };
export const knowHelpers: Feature = { ...bpfSyscall, name: 'know/helpers' };
export const knowObjects: Feature = { ...bpfSyscall, name: 'know/objects' };
export const knowRun: Feature = { ...bpfSyscall, name: 'know/run' };
export const knowStats: Feature = { ...bpfSyscall, name: 'know/stats' };
/** Test runs that came after 5.10, tried by making one. */
export const knowRunSyscall: Feature = {
  name: 'know/run_syscall',
  probe: () => loads('syscall', undefined, ['sleepable']),
};
export const knowRunNetfilter: Feature = { name: 'know/run_netfilter', probe: () => loads('netfilter', 'netfilter') };

/** The kernel's own function to try fmod_ret on: until 6.2, with CONFIG_FUNCTION_ERROR_INJECTION only. */
export const knowRunFmodRet: Feature = {
  name: 'know/run_fmod_ret',
  probe: () =>
    fmodRet.probe() ??
    linkProbe('fmod_ret programs on bpf_modify_return_test', () => {
      const attachBtfId = idInBtf('func', 'bpf_modify_return_test');
      const at = { expectedAttachType: 'modify_return', attachBtfId } as const;
      progLoad({ type: 'tracing', ...at, insns: RETURN_0, license: 'GPL' }).close();
    }),
};

function loads(type: ProgType, expectedAttachType?: AttachType, flags: readonly ProgFlag[] = []): string | undefined {
  return linkProbe(`${type} programs`, () => {
    const attach = expectedAttachType ? { expectedAttachType } : {};
    progLoad({ type, ...attach, flags, insns: RETURN_0, license: 'GPL' }).close();
  });
}

/** A helper that came after 5.10, as programs of a type may call it. */
export function helper(name: string, type: ProgType, attachType?: AttachType): Feature {
  return {
    name: `helper/${name}`,
    probe() {
      const answer = haveHelper(type, name, attachType ? { attachType } : {});
      return answer.supported ? undefined : answer.reason;
    },
  };
}

/** Tracing functions that take a struct by value: Linux 6.1. */
export const fentryStruct: Feature = {
  name: 'attach/fentry_struct',
  probe: () =>
    fentry.probe() ??
    inBtf('func', 'tcp_setsockopt') ??
    linkProbe('programs on functions that take a struct by value', () => {
      const at = { expectedAttachType: 'trace_fentry', attachBtfId: idInBtf('func', 'tcp_setsockopt') } as const;
      progLoad({ type: 'tracing', ...at, insns: RETURN_0, license: 'GPL' }).close();
    }),
};
