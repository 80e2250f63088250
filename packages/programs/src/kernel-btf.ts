import { readdirSync, readFileSync } from 'node:fs';
import { type Btf, parseBtf } from '@bpf/btf';
import { mapFile, requireLinux, UnavailableError } from '@bpf/sys';

const FOLDER = '/sys/kernel/btf';
const KERNEL = 'vmlinux';

const opened = new Map<string, Btf>();

/**
 * The running kernel's types, or those of one of its modules on top of them: read once and shared by all who ask.
 * Linux 5.4 and newer (modules 5.11), built with CONFIG_DEBUG_INFO_BTF=y.
 *
 * @throws UnavailableError when the kernel does not show them; BtfError when they are corrupt
 * @example
 * ```ts
 * kernelBtf().find('func', 'vfs_read');
 * kernelBtf('veth').find('func', 'veth_xmit');
 * ```
 */
export function kernelBtf(module: string = KERNEL): Btf {
  let btf = opened.get(module);
  if (!btf) {
    btf = module === KERNEL ? parseBtf(read(KERNEL)) : parseBtf(read(module), { base: kernelBtf() });
    opened.set(module, btf);
  }
  return btf;
}

/** The modules whose types the kernel shows, in the order of their names; none before Linux 5.11. */
export function kernelBtfModules(): string[] {
  requireLinux();
  try {
    return readdirSync(FOLDER)
      .filter((name) => name !== KERNEL)
      .sort();
  } catch {
    return [];
  }
}

function read(name: string): Uint8Array {
  requireLinux();
  const path = `${FOLDER}/${name}`;
  try {
    // Mapping it saves reading megabytes of which a look-up needs little.
    return mapFile(path) ?? readFileSync(path);
  } catch (cause) {
    if (cause instanceof UnavailableError) throw cause;
    throw new UnavailableError(
      name === KERNEL
        ? `This kernel's types cannot be read (${path}): it must be Linux 5.4 or newer, built with CONFIG_DEBUG_INFO_BTF=y, with /sys mounted.`
        : `The types of module '${name}' cannot be read (${path}): it must be loaded, and Linux 5.11 or newer with CONFIG_DEBUG_INFO_BTF_MODULES=y.`,
      { cause },
    );
  }
}
