import { openAttr, putStruct, readField } from './attr.ts';
import { callOrThrow } from './bpf.ts';
import { nameOf } from './check.ts';
import type { HasFd } from './fd.ts';
import { requireKind } from './fd-kind.ts';
import { type NativeMemory, type Scope, withScope } from './memory.ts';
import type { ProgType } from './prog.ts';
import { progTypes, structs } from './uapi.gen.ts';

/** What the kernel says of a program (`struct bpf_prog_info`). */
export interface ProgInfo {
  /** A number when it is a type that this package has no name for. */
  readonly type: ProgType | number;
  readonly id: number;
  /** The hash of its instructions, 16 hexadecimal digits. */
  readonly tag: string;
  readonly name: string;
  /** When it was loaded, in nanoseconds since boot. */
  readonly loadTime: bigint;
  readonly createdByUid: number;
  readonly gplCompatible: boolean;
  /** Maps that it holds, by id. */
  readonly mapIds: readonly number[];
  /** Bytes of its instructions as the kernel rewrote them, and as machine code; 0 for those who may not see them. */
  readonly xlatedLength: number;
  readonly jitedLength: number;
  readonly btfId: number;
  /** What the verifier went through. Linux 5.16. */
  readonly verifiedInsns: number;
  /** Nanoseconds and runs, while statistics are enabled. */
  readonly runTimeNs: bigint;
  readonly runCnt: bigint;
  readonly recursionMisses: bigint;
  readonly attachBtfObjId: number;
  readonly attachBtfId: number;
  readonly ifindex: number;
}

const INFO = 'bpf_prog_info';
const { bytes: INFO_BYTES } = structs[INFO];

/**
 * BPF_OBJ_GET_INFO_BY_FD of a program. Linux 4.13.
 *
 * @throws SysError; TypeError when the descriptor is not of a program
 */
export function progGetInfo(prog: HasFd): ProgInfo {
  requireKind(prog, 'prog');
  return withScope((scope) => {
    const info = scope.alloc(INFO_BYTES);
    ask(scope, prog, info);
    const get = <Field extends keyof (typeof structs)[typeof INFO]['fields']>(field: Field) =>
      readField(INFO, info.view, field);
    const tag = Array.from(info.bytes.subarray(8, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const facts = {
      type: nameOf(progTypes, get('type')),
      id: get('id'),
      tag,
      name: get('name'),
      loadTime: get('load_time'),
      createdByUid: get('created_by_uid'),
      gplCompatible: get('gpl_compatible') === 1,
      xlatedLength: get('xlated_prog_len'),
      jitedLength: get('jited_prog_len'),
      btfId: get('btf_id'),
      verifiedInsns: get('verified_insns'),
      runTimeNs: get('run_time_ns'),
      runCnt: get('run_cnt'),
      recursionMisses: get('recursion_misses'),
      attachBtfObjId: get('attach_btf_obj_id'),
      attachBtfId: get('attach_btf_id'),
      ifindex: get('ifindex'),
    };
    return { ...facts, mapIds: mapIdsOf(scope, prog, get('nr_map_ids')) };
  });
}

/** The instructions of a program as the kernel rewrote them: empty for those who may not see them. Linux 4.13. */
export function progGetXlated(prog: HasFd): Uint8Array {
  return instructions(prog, 'xlated_prog_len', 'xlated_prog_insns');
}

/** The machine code of a program: empty for those who may not see it, or where there is none. Linux 4.13. */
export function progGetJited(prog: HasFd): Uint8Array {
  return instructions(prog, 'jited_prog_len', 'jited_prog_insns');
}

function instructions(
  prog: HasFd,
  length: 'xlated_prog_len' | 'jited_prog_len',
  address: 'xlated_prog_insns' | 'jited_prog_insns',
): Uint8Array {
  requireKind(prog, 'prog');
  return withScope((scope) => {
    const info = scope.alloc(INFO_BYTES);
    ask(scope, prog, info);
    const bytes = readField(INFO, info.view, length);
    const buffer = scope.alloc(bytes);
    info.bytes.fill(0);
    putStruct(INFO, info.view, { [length]: bytes, [address]: buffer.address });
    ask(scope, prog, info);
    // Without the privilege it says 0 and writes nothing.
    return buffer.bytes.slice(0, readField(INFO, info.view, length));
  });
}

function mapIdsOf(scope: Scope, prog: HasFd, count: number): number[] {
  const ids = scope.alloc(count * 4);
  const info = scope.alloc(INFO_BYTES);
  putStruct(INFO, info.view, { nr_map_ids: count, map_ids: ids.address });
  ask(scope, prog, info);
  return Array.from({ length: count }, (_, i) => ids.view.getUint32(i * 4, true));
}

function ask(scope: Scope, prog: HasFd, info: NativeMemory): void {
  callOrThrow(
    openAttr(scope, 'BPF_OBJ_GET_INFO_BY_FD', { bpf_fd: prog.fd, info_len: info.bytes.length, info: info.address }),
  );
}
