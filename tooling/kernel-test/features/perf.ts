import {
  PERF_COUNT_SW_BPF_OUTPUT,
  PERF_COUNT_SW_CPU_CLOCK,
  type PerfEventOptions,
  perfEventOpen,
  tracepointId,
} from '@bpf/sys';
import type { Feature } from '../harness.ts';

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

/** Samples that programs write. */
export const perfBpfOutput: Feature = perfEvent('bpf_output', () => ({
  type: 'software',
  config: PERF_COUNT_SW_BPF_OUTPUT,
}));
