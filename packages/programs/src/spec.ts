import type { Program as Instructions } from '@bpf/insn';
import type { AttachType, ProgType } from '@bpf/sys';

/** A program as inert data: made anywhere, loaded with {@link loadProgram} on the kernel it is for. */
export interface ProgramSpec {
  /** What `bpftool prog` shows. Fitted to the kernel's 15 characters of `A-Z a-z 0-9 _ .`. */
  readonly name: string;
  readonly type: ProgType;
  /** Needed for type 'tracing'. */
  readonly attachType?: AttachType;
  /**
   * What it attaches to, as in libbpf's section names: an iterator's target ('task'), a function's name (fentry, fexit,
   * fmod_ret) or a tracepoint's (tp_btf, raw_tracepoint).
   */
  readonly attachTo?: string;
  readonly instructions: Instructions;
  /** 'GPL' unless said otherwise. */
  readonly license?: string;
}
