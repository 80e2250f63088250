/**
 * Numbers of the kernel's user API (include/uapi/linux/bpf.h), with the kernel's spelling for commands and libbpf's
 * (`libbpf_bpf_map_type_str` and its like, what bpftool prints) for everything that has a name there.
 */

/** The number of the bpf(2) system call, by Node's name of a little-endian 64-bit architecture. */
export const BPF_SYSCALL: Readonly<Record<string, number>> = { x64: 321, arm64: 280, riscv64: 280, loong64: 280 };

export const BPF_CMD = {
  BPF_MAP_CREATE: 0,
  BPF_MAP_LOOKUP_ELEM: 1,
  BPF_MAP_UPDATE_ELEM: 2,
  BPF_MAP_DELETE_ELEM: 3,
  BPF_MAP_GET_NEXT_KEY: 4,
  BPF_PROG_LOAD: 5,
  BPF_PROG_TEST_RUN: 10,
  BPF_MAP_GET_FD_BY_ID: 14,
  BPF_OBJ_GET_INFO_BY_FD: 15,
  BPF_RAW_TRACEPOINT_OPEN: 17,
  BPF_BTF_LOAD: 18,
  BPF_LINK_CREATE: 28,
  BPF_ITER_CREATE: 33,
} as const;
export type BpfCmd = keyof typeof BPF_CMD;

export const mapTypes = { hash: 1, array: 2 } as const;
export type MapType = keyof typeof mapTypes;

export const progTypes = { socket_filter: 1, raw_tracepoint: 17, tracing: 26 } as const;
export type ProgType = keyof typeof progTypes;

export const attachTypes = {
  trace_raw_tp: 23,
  trace_fentry: 24,
  trace_fexit: 25,
  modify_return: 26,
  trace_iter: 28,
} as const;
export type AttachType = keyof typeof attachTypes;

/** Update flags: create or replace, create only, replace only. */
export const updateFlags = { any: 0, noexist: 1, exist: 2 } as const;
export type UpdateFlag = keyof typeof updateFlags;
