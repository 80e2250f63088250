import { u32 } from './check.ts';
import { Fd, type FdLike, fdNumber } from './fd.ts';
import { ioctl } from './ioctl.ts';
import { getLibc } from './libc.ts';
import { LE, withScope } from './memory.ts';
import { perfEventOpenError } from './perf-error.ts';
import { perfType } from './perf-names.ts';
import { rawSyscall } from './raw-syscall.ts';

/** Events of type 'software'. */
export const PERF_COUNT_SW_CPU_CLOCK = 0;
export const PERF_COUNT_SW_BPF_OUTPUT = 10;
/** What bpf_perf_event_output(2) writes comes as the raw data of a sample. */
export const PERF_SAMPLE_RAW = 0x400;

const PERF_FLAG_FD_CLOEXEC = 8;
const PERF_EVENT_IOC_ENABLE = 0x2400;
const PERF_EVENT_IOC_DISABLE = 0x2401;
const PERF_EVENT_IOC_SET_BPF = 0x40042408;

/** Flags of the attr, bit by bit. */
const DISABLED = 1n << 0n;
const FREQ = 1n << 10n;

/** struct perf_event_attr as far as config2: PERF_ATTR_SIZE_VER1, which every kernel takes. */
const ATTR_BYTES = 72;

export interface PerfEventOptions {
  /** hardware, software, tracepoint, hw_cache, raw, breakpoint, a PMU of /sys/bus/event_source/devices, or a number. */
  readonly type: string | number;
  /** Which event of the type, such as {@link tracepointId} or PERF_COUNT_SW_CPU_CLOCK. */
  readonly config: number | bigint;
  /** The process or thread; 0 is this one, -1 is all. -1 unless told. */
  readonly pid?: number;
  /** The CPU; -1 is all, for which `pid` must not be -1. 0 unless told. */
  readonly cpu?: number;
  /** The leader of the group that this event joins. */
  readonly groupFd?: FdLike;
  /** A sample each so many events. 1 unless told. */
  readonly samplePeriod?: number | bigint;
  /** So many samples each second, in place of a period. */
  readonly sampleFreq?: number;
  /** What a sample has. PERF_SAMPLE_RAW unless told. */
  readonly sampleType?: number | bigint;
  /** Poll finds it readable after so many samples. 1 unless told. */
  readonly wakeupEvents?: number;
  /** It counts nothing until {@link perfEventEnable}. */
  readonly disabled?: boolean;
  /** For the PMUs kprobe and uprobe: the function, or the path of the file. Text is given as its address. */
  readonly config1?: number | bigint | string;
  /** For the PMUs kprobe and uprobe: the offset in the function, or in the file. */
  readonly config2?: number | bigint;
}

/**
 * perf_event_open(2). Any Linux; the PMUs kprobe and uprobe since 4.17. Without CAP_PERFMON (CAP_SYS_ADMIN before 5.8) it
 * depends on the sysctl kernel.perf_event_paranoid; where that is 3, as in Debian, only CAP_SYS_ADMIN will do.
 *
 * @throws SysError; UnavailableError when it is not permitted, or this machine has no such PMU; RangeError
 * @example
 * ```ts
 * using event = perfEventOpen({ type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, sampleFreq: 99, disabled: true });
 * perfEventSetBpf(event, prog);
 * perfEventEnable(event);
 * ```
 */
export function perfEventOpen(options: PerfEventOptions): Fd {
  const { config, pid = -1, cpu = 0, groupFd, samplePeriod = 1, sampleFreq, wakeupEvents = 1 } = options;
  const { config1 = 0, config2 = 0, sampleType = PERF_SAMPLE_RAW, disabled = false } = options;
  const group = groupFd === undefined ? -1 : fdNumber(groupFd);
  if (typeof config1 === 'string' && config1.includes('\0'))
    throw new RangeError(`config1 is ${JSON.stringify(config1)}; the kernel reads it up to the NUL`);
  int('pid', pid);
  int('cpu', cpu);
  if (pid === -1 && cpu === -1)
    throw new RangeError('pid and cpu are both -1; an event is of all processes on one CPU, or of one process');
  return withScope((scope) => {
    const { view, address } = scope.alloc(ATTR_BYTES);
    view.setUint32(0, typeof options.type === 'number' ? u32('type', options.type) : perfType(options.type), LE);
    view.setUint32(4, ATTR_BYTES, LE);
    view.setBigUint64(8, u64('config', config), LE);
    view.setBigUint64(
      16,
      u64(sampleFreq === undefined ? 'samplePeriod' : 'sampleFreq', sampleFreq ?? samplePeriod),
      LE,
    );
    view.setBigUint64(24, u64('sampleType', sampleType), LE);
    view.setBigUint64(40, (disabled ? DISABLED : 0n) | (sampleFreq === undefined ? 0n : FREQ), LE);
    view.setUint32(48, u32('wakeupEvents', wakeupEvents), LE);
    view.setBigUint64(56, typeof config1 === 'string' ? BigInt(scope.cString(config1)) : u64('config1', config1), LE);
    view.setBigUint64(64, u64('config2', config2), LE);
    const number = getLibc().numbers.perf_event_open;
    const result = Number(rawSyscall(number, address, pid, cpu, group, PERF_FLAG_FD_CLOEXEC));
    if (result < 0) throw perfEventOpenError(-result, `type ${options.type}, config ${config}, pid ${pid}, cpu ${cpu}`);
    return new Fd(result);
  });
}

/**
 * PERF_EVENT_IOC_SET_BPF: runs a program at each hit of a tracepoint, kprobe or uprobe, or at each sample of another event,
 * until the event is closed. Of type `tracepoint`, `kprobe` (uprobes too) or `perf_event`. Linux 4.7, samples 4.9.
 *
 * @throws SysError 'EINVAL' for a program of another type, 'EEXIST' when the event has one
 * @example
 * ```ts
 * using event = perfEventOpen({ type: 'kprobe', config: 0, config1: 'do_sys_openat2' });
 * perfEventSetBpf(event, prog);
 * ```
 */
export function perfEventSetBpf(event: FdLike, prog: FdLike): void {
  ioctl(event, PERF_EVENT_IOC_SET_BPF, fdNumber(prog));
}

/** PERF_EVENT_IOC_ENABLE: an event that was opened `disabled` counts from now on. Any Linux. @throws SysError */
export function perfEventEnable(event: FdLike): void {
  ioctl(event, PERF_EVENT_IOC_ENABLE);
}

/** PERF_EVENT_IOC_DISABLE: an event counts no more, and keeps what it has counted. Any Linux. @throws SysError */
export function perfEventDisable(event: FdLike): void {
  ioctl(event, PERF_EVENT_IOC_DISABLE);
}

function int(what: string, value: number): void {
  if (Number.isInteger(value) && value >= -1 && value <= 0x7fff_ffff) return;
  throw new RangeError(`${what} is ${value}; it must be an integer in -1..2147483647`);
}

function u64(what: string, value: number | bigint): bigint {
  if (typeof value === 'bigint' ? value >= 0n && value < 2n ** 64n : Number.isSafeInteger(value) && value >= 0)
    return BigInt(value);
  throw new RangeError(`${what} is ${value}; it must be an integer in 0..2^64-1, and beyond 2^53 a bigint`);
}
