import type { Program as Instructions } from '@bpf/insn';
import type { AttachType, ProgFlag, ProgType } from '@bpf/sys';

/** A program as inert data: made anywhere, loaded with {@link loadProgram} on the kernel it is for. */
export interface ProgramSpec {
  /** What `bpftool prog` shows. Fitted to the kernel's 15 characters of `A-Z a-z 0-9 _ .`. */
  readonly name: string;
  readonly type: ProgType;
  /** Needed for types that have several, such as 'tracing', 'lsm' and those of cgroups. */
  readonly attachType?: AttachType;
  /**
   * What it attaches to, as in libbpf's section names: an iterator's target ('task'), a function's name (fentry, fexit,
   * fmod_ret, kprobe, and ext, of the program that it is loaded for), a tracepoint's (tp_btf, raw_tracepoint), its category
   * and name (tracepoint: 'sched/sched_switch'), an LSM hook ('file_open') or a member of a structure (struct_ops:
   * 'tcp_congestion_ops.ssthresh').
   */
  readonly attachTo?: string;
  readonly instructions: Instructions;
  /** Such as 'sleepable'. */
  readonly flags?: readonly ProgFlag[];
  /** 'GPL' unless said otherwise. */
  readonly license?: string;
}
