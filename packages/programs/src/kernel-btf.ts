import { readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '@bpf/btf';
import { mapFile, requireLinux, UnavailableError } from '@bpf/sys';

const PATH = '/sys/kernel/btf/vmlinux';

let vmlinux: Btf | undefined;

/**
 * The running kernel's types, read once and shared by all who ask. Linux 5.4 and newer, built with
 * CONFIG_DEBUG_INFO_BTF=y.
 *
 * @throws UnavailableError when the kernel does not show them; BtfError when they are corrupt
 */
export function kernelBtf(): Btf {
  vmlinux ??= parseBtf(readVmlinux());
  return vmlinux;
}

function readVmlinux(): Uint8Array {
  requireLinux();
  try {
    // Mapping it saves reading megabytes of which a look-up needs little.
    return mapFile(PATH) ?? readFileSync(PATH);
  } catch (cause) {
    if (cause instanceof UnavailableError) throw cause;
    throw new UnavailableError(
      `This kernel's types cannot be read (${PATH}): it must be Linux 5.4 or newer, built with CONFIG_DEBUG_INFO_BTF=y, with /sys mounted.`,
      { cause },
    );
  }
}
