import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { kernelBtf } from '@bpf/programs';
import { type LinkCreateOptions, linkCreate, progLoad, rawTracepointOpen, SysError } from '@bpf/sys';
import type { Feature } from '../harness.ts';
import { perfKprobe, perfSoftware, perfTracepoint, perfUprobe } from './perf.ts';
import { bpfSyscall, idInBtf, inBtf, linkProbe, RETURN_0 } from './probe.ts';

export const rawTracepoint: Feature = { ...bpfSyscall, name: 'attach/raw_tracepoint' };

export const tpBtf: Feature = {
  name: 'attach/tp_btf',
  probe: () => bpfSyscall.probe() ?? inBtf('typedef', 'btf_trace_sched_process_fork'),
};

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

// What packages/programs attaches, each kind tried by loading and attaching a program that does nothing.

export const attachTracepoint: Feature = { ...perfTracepoint, name: 'attach/tracepoint' };
export const attachKprobe: Feature = { ...perfKprobe, name: 'attach/kprobe' };
export const attachUprobe: Feature = { ...perfUprobe, name: 'attach/uprobe' };
export const attachPerfEvent: Feature = { ...perfSoftware, name: 'attach/perf_event' };

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

/** Tracing a function that programs themselves call: arm64 has its spin locks inline. */
export const fentryLock: Feature = {
  name: 'attach/fentry_lock',
  probe: () => fentry.probe() ?? inBtf('func', '_raw_spin_lock_irqsave'),
};

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

/** Many functions with one link, by their BTF ids: Linux 7.2. */
export const tracingMulti: Feature = {
  name: 'attach/tracing_multi',
  probe: () =>
    fentry.probe() ??
    linkProbe('tracing_multi links', () => {
      const attachType = 'trace_fentry_multi';
      using prog = progLoad({ type: 'tracing', expectedAttachType: attachType, insns: RETURN_0, license: 'GPL' });
      linkCreate({ prog, attachType, tracingMulti: { btfIds: [idInBtf('func', 'bpf_fentry_test1')] } }).close();
    }),
};
