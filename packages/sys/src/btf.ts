import { openAttr, putStruct, readField } from './attr.ts';
import { bpfError, call, callOrThrow } from './bpf.ts';
import { Fd, type HasFd } from './fd.ts';
import { requireKind } from './fd-kind.ts';
import { callWithLog } from './log.ts';
import { withScope } from './memory.ts';
import { structs } from './uapi.gen.ts';

const EPERM = 1;

/**
 * BPF_BTF_LOAD: hands types to the kernel, for maps and programs to refer to. Raw BTF, at most 16 MiB; since Linux 4.18,
 * with CAP_BPF (before 5.8, CAP_SYS_ADMIN). Types that are refused are loaded a second time for the kernel's log, whole,
 * in the error's `log`: its last lines name the type.
 *
 * @throws SysError with `log`: 'EINVAL' for types that this kernel does not take; UnavailableError when it does not
 * permit the call
 * @example
 * ```ts
 * using btf = btfLoad(encodeBtf([{ kind: 'int', name: 'u32', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' }]));
 * ```
 */
export function btfLoad(bytes: Uint8Array): Fd {
  return withScope((scope) => {
    const attr = openAttr(scope, 'BPF_BTF_LOAD', { btf: scope.copy(bytes), btf_size: bytes.byteLength });
    const fd = call(attr);
    if (fd >= 0) return new Fd(fd);
    if (fd === -EPERM) throw bpfError(attr, EPERM);
    const again = callWithLog(attr);
    if (again.result >= 0) return new Fd(again.result);
    throw bpfError(attr, -fd, { log: again.log });
  });
}

/** What the kernel says of a BTF object (`struct bpf_btf_info`). */
export interface BtfInfo {
  readonly id: number;
  /** 'vmlinux', the name of a module, or empty for what a program brought. Linux 5.11. */
  readonly name: string;
  /** Whether it is of the kernel or of a module. Linux 5.11. */
  readonly kernelBtf: boolean;
  /** Bytes of the types. */
  readonly size: number;
}

const INFO = 'bpf_btf_info';
/** MODULE_NAME_LEN is 64 - sizeof(long). */
const NAME_BYTES = 64;

/**
 * BPF_OBJ_GET_INFO_BY_FD of a BTF object. Linux 4.18.
 *
 * @throws SysError; TypeError when the descriptor is not of BTF
 */
export function btfGetInfo(btf: HasFd): BtfInfo {
  return btfInfo(btf, 0).info;
}

/** The types of a BTF object, raw, for `parseBtf`. Linux 4.18. */
export function btfGetBytes(btf: HasFd): Uint8Array {
  return btfInfo(btf, btfGetInfo(btf).size).bytes;
}

function btfInfo(btf: HasFd, room: number): { readonly info: BtfInfo; readonly bytes: Uint8Array } {
  requireKind(btf, 'btf');
  return withScope((scope) => {
    const types = scope.alloc(room);
    const name = scope.alloc(NAME_BYTES);
    const info = scope.alloc(structs[INFO].bytes);
    // The name came with 5.11: before, a structure with anything behind `id` is refused.
    const ask = (withName: boolean): number => {
      const fields = {
        btf: types.address,
        btf_size: room,
        ...(withName && { name: name.address, name_len: NAME_BYTES }),
      };
      putStruct(INFO, info.view, fields);
      const attr = openAttr(scope, 'BPF_OBJ_GET_INFO_BY_FD', {
        bpf_fd: btf.fd,
        info_len: info.bytes.length,
        info: info.address,
      });
      const result = call(attr);
      if (result < 0 && !withName) callOrThrow(attr);
      return result;
    };
    if (ask(true) < 0) {
      info.bytes.fill(0);
      ask(false);
    }
    return {
      bytes: types.bytes.slice(),
      info: {
        id: readField(INFO, info.view, 'id'),
        name: new TextDecoder().decode(name.bytes.subarray(0, name.bytes.indexOf(0))),
        kernelBtf: readField(INFO, info.view, 'kernel_btf') === 1,
        size: readField(INFO, info.view, 'btf_size'),
      },
    };
  });
}
