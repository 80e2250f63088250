// The first release with a thing, of what came after Linux 5.10, the oldest kernel that is supported. The kernels of the
// matrix (5.10, 6.1, 6.12, 6.18, 7.2) agree: those before it have it not, those after it do. Which release of a range it was
// comes from the kernel's history. Distributions bring some to older kernels, which is why nothing is decided by it: it
// explains a refusal.
import type { BpfCmd } from './attr.ts';

/** Commands. */
export const commandSince: Readonly<Partial<Record<BpfCmd, string>>> = {
  BPF_TOKEN_CREATE: '6.9',
  BPF_PROG_STREAM_READ_BY_FD: '6.17',
  BPF_PROG_ASSOC_STRUCT_OPS: '7.0',
};

/** Map types. */
export const mapTypeSince: Readonly<Record<string, string>> = {
  task_storage: '5.11',
  bloom_filter: '5.16',
  user_ringbuf: '6.1',
  cgrp_storage: '6.2',
  arena: '6.9',
  insn_array: '6.19',
  rhash: '7.1',
};

/** Program types. */
export const progTypeSince: Readonly<Record<string, string>> = {
  syscall: '5.14',
  netfilter: '6.4',
};
