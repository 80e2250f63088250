import { openAttr } from './attr.ts';
import { bpfError, call, callOrThrow } from './bpf.ts';
import { flagsOf, numberOf, objectName } from './check.ts';
import { Fd, fdNumber, type HasFd } from './fd.ts';
import { callWithLog } from './log.ts';
import { type Scope, withScope } from './memory.ts';
import { attachTypes, progTypes } from './uapi.gen.ts';

/** A program type by libbpf's name. */
export type ProgType = keyof typeof progTypes;
/** What a program is attached as, by libbpf's name. */
export type AttachType = keyof typeof attachTypes;

/** Flags of BPF_PROG_LOAD: BPF_F_* in lower case (include/uapi/linux/bpf.h; they are in no BTF). */
const progFlags = {
  strict_alignment: 1,
  any_alignment: 2,
  test_rnd_hi32: 4,
  test_state_freq: 8,
  sleepable: 16,
  xdp_has_frags: 32,
  xdp_dev_bound_only: 64,
  test_reg_invariants: 128,
  token_fd: 65536,
} as const;
export type ProgFlag = keyof typeof progFlags;

/** Records of one of BTF's tables for a program: `struct bpf_func_info`, `struct bpf_line_info`. */
export interface ProgRecords {
  readonly bytes: Uint8Array;
  /** Bytes of one: 8 and 16. */
  readonly recordSize: number;
}

export interface ProgLoadOptions {
  readonly type: ProgType | number;
  /** Instructions, 8 bytes a slot. */
  readonly insns: Uint8Array;
  /** Helpers that are for GPL programs only ask for 'GPL'. */
  readonly license: string;
  /** At most 15 of `A-Z a-z 0-9 _ .`. */
  readonly name?: string;
  readonly flags?: readonly ProgFlag[];
  readonly expectedAttachType?: AttachType | number;
  /** The BTF id in the kernel of the function, or typedef, that a tracing program is for. */
  readonly attachBtfId?: number;
  /** Where that id is from: a program, or the BTF object of a module; the kernel itself when left out. */
  readonly attachTo?: HasFd;
  readonly ifindex?: number;
  /** The types of the program, which `funcInfo` and `lineInfo` refer to. */
  readonly btf?: HasFd;
  readonly funcInfo?: ProgRecords;
  readonly lineInfo?: ProgRecords;
  /** Descriptors that instructions refer to by their place in this list. Linux 5.14. */
  readonly fdArray?: readonly number[];
  /** A token for those without privilege, with the flag `token_fd`. Linux 6.9. */
  readonly token?: HasFd;
}

const EPERM = 1;

/**
 * BPF_PROG_LOAD. A program that is refused is loaded a second time for the verifier's log, whole, in the error's `log`:
 * a load that succeeds pays nothing for it.
 *
 * @throws SysError with `log`; UnavailableError when the kernel does not permit such a program; RangeError
 * @example
 * ```ts
 * using prog = progLoad({ type: 'socket_filter', insns: assemble([mov('r0', 0), exit()]), license: 'GPL' });
 * ```
 */
export function progLoad(options: ProgLoadOptions): Fd {
  return withScope((scope) => {
    const attr = openProgLoad(scope, options);
    const fd = call(attr);
    if (fd >= 0) return new Fd(fd);
    if (fd === -EPERM) throw bpfError(attr, EPERM);
    const again = callWithLog(attr);
    if (again.result >= 0) return new Fd(again.result);
    throw bpfError(attr, -fd, { log: again.log });
  });
}

/**
 * BPF_PROG_LOAD, as {@link progLoad}, with what the verifier says of a program that it takes.
 *
 * @param level 1 for its steps, 2 for the state after each, 4 for statistics alone
 */
export function progLoadWithLog(options: ProgLoadOptions, level: number): { readonly prog: Fd; readonly log: string } {
  return withScope((scope) => {
    const attr = openProgLoad(scope, options);
    const { result, log } = callWithLog(attr, level);
    if (result >= 0) return { prog: new Fd(result), log };
    throw bpfError(attr, -result, { log });
  });
}

function openProgLoad(scope: Scope, options: ProgLoadOptions) {
  const { insns, funcInfo, lineInfo, fdArray } = options;
  if (insns.byteLength === 0 || insns.byteLength % 8 !== 0)
    throw new RangeError(`a program has 8 bytes for each instruction slot; this one has ${insns.byteLength} bytes`);
  return openAttr(scope, 'BPF_PROG_LOAD', {
    prog_type: numberOf(progTypes, options.type, 'program type'),
    insn_cnt: insns.byteLength / 8,
    insns: scope.copy(insns),
    license: scope.cString(options.license),
    prog_flags: flagsOf(progFlags, options.flags, 'program flag'),
    prog_name: optional(options.name, objectName),
    prog_ifindex: options.ifindex,
    expected_attach_type: optional(options.expectedAttachType, (type) => numberOf(attachTypes, type, 'attach type')),
    prog_btf_fd: options.btf?.fd,
    attach_btf_id: options.attachBtfId,
    attach_prog_fd: options.attachTo?.fd,
    prog_token_fd: options.token?.fd,
    ...(funcInfo && {
      func_info: scope.copy(funcInfo.bytes),
      func_info_rec_size: funcInfo.recordSize,
      func_info_cnt: recordCount('funcInfo', funcInfo),
    }),
    ...(lineInfo && {
      line_info: scope.copy(lineInfo.bytes),
      line_info_rec_size: lineInfo.recordSize,
      line_info_cnt: recordCount('lineInfo', lineInfo),
    }),
    ...(fdArray && { fd_array: scope.copy(new Uint8Array(Int32Array.from(fdArray, fdNumber).buffer)) }),
  });
}

const optional = <Value, Field>(value: Value | undefined, field: (value: Value) => Field): Field | undefined =>
  value === undefined ? undefined : field(value);

function recordCount(what: string, { bytes, recordSize }: ProgRecords): number {
  const count = bytes.length / recordSize;
  if (Number.isInteger(count)) return count;
  throw new RangeError(`${what} has ${bytes.length} bytes, and each of its records ${recordSize}`);
}

/**
 * BPF_PROG_BIND_MAP: lets a program hold a map that its instructions do not name, such as one with its metadata. Linux 5.10.
 */
export function progBindMap(prog: HasFd, map: HasFd): void {
  withScope((scope) => {
    callOrThrow(openAttr(scope, 'BPF_PROG_BIND_MAP', { prog_fd: prog.fd, map_fd: map.fd }));
  });
}

/**
 * BPF_PROG_ASSOC_STRUCT_OPS: ties a program to a struct_ops map, for kfuncs that ask whose they are. Linux 7.0.
 *
 * @throws SysError, UnavailableError
 */
export function progAssocStructOps(prog: HasFd, map: HasFd): void {
  withScope((scope) => {
    callOrThrow(openAttr(scope, 'BPF_PROG_ASSOC_STRUCT_OPS', { prog_fd: prog.fd, map_fd: map.fd }));
  });
}

/**
 * BPF_PROG_STREAM_READ_BY_FD: what a program printed to its standard output or error. Linux 6.17.
 *
 * @param bytes how much to read at most
 * @returns what was there, which is no more read afterwards: empty when there is nothing
 */
export function progStreamRead(prog: HasFd, stream: 'stdout' | 'stderr', bytes: number = 4096): Uint8Array {
  return withScope((scope) => {
    const buffer = scope.alloc(bytes);
    const attr = openAttr(scope, 'BPF_PROG_STREAM_READ_BY_FD', {
      stream_buf: buffer.address,
      stream_buf_len: bytes,
      stream_id: stream === 'stdout' ? 1 : 2,
      prog_fd: prog.fd,
    });
    return buffer.bytes.slice(0, callOrThrow(attr));
  });
}
