import { addressNumber, bpf, bpfError } from './bpf.ts';
import { Fd } from './fd.ts';
import { callWithLog, type LogFields } from './log.ts';
import { LE, withScope } from './memory.ts';
import { BPF_CMD } from './uapi.ts';

/** btf 0, btf_log_buf 8, btf_size 16, btf_log_size 20, btf_log_level 24, btf_log_true_size 28. */
const ATTR_BYTES = 32;
const LOG: LogFields = { level: 24, size: 20, buffer: 8, trueSize: 28 };
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
    const attr = scope.alloc(ATTR_BYTES);
    attr.view.setBigUint64(0, scope.copy(bytes), LE);
    attr.view.setUint32(16, bytes.byteLength, LE);
    const load = (): number => bpf(BPF_CMD.BPF_BTF_LOAD, addressNumber(attr), ATTR_BYTES);
    const fd = load();
    if (fd >= 0) return new Fd(fd);
    if (fd === -EPERM) throw bpfError('BPF_BTF_LOAD', EPERM);
    const again = callWithLog(attr.view, LOG, load);
    if (again.result >= 0) return new Fd(again.result);
    throw bpfError('BPF_BTF_LOAD', -fd, { log: again.log });
  });
}
