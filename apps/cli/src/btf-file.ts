import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Btf, BtfError, btfSection, parseBtf } from '@bpf/btf';
import { UnavailableError } from '@bpf/sys';

/** Which types a command is about. */
export interface BtfOptions {
  readonly file?: string;
  readonly base?: string;
}

const KERNEL_FOLDER = '/sys/kernel/btf';
const KERNEL = `${KERNEL_FOLDER}/vmlinux`;

/** Whether these are types of the running kernel. */
export function isOfKernel({ file = KERNEL }: BtfOptions): boolean {
  return dirname(resolve(file)) === KERNEL_FOLDER;
}

/** Runs a command on the types that its options name. What is wrong with the bytes is said with the file's name. */
export async function withBtf(options: BtfOptions, run: (btf: Btf) => Promise<void>): Promise<void> {
  const file = options.file ?? KERNEL;
  // Modules of the running kernel go on from its types.
  const base = options.base ?? (isOfKernel(options) && resolve(file) !== KERNEL ? KERNEL : undefined);
  const opened = base === undefined ? undefined : await named(base, () => parseBtf(read(base)));
  const hint = base === undefined ? ' (if it is a module, --base names the types of its kernel)' : '';
  await named(file, () => run(parseBtf(read(file), opened ? { base: opened } : {})), hint);
}

async function named<Result>(file: string, run: () => Result | Promise<Result>, hint = ''): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof BtfError && error.byteOffset !== undefined)
      throw new Error(`${file}: ${error.message}${hint}`, { cause: error });
    throw error;
  }
}

const ELF_MAGIC = '\x7fELF';

function read(file: string): Uint8Array {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    if (resolve(file) !== KERNEL) throw cause;
    throw new UnavailableError(
      `This kernel's types cannot be read (${KERNEL}): it must be Linux 5.4 or newer, built with CONFIG_DEBUG_INFO_BTF=y, with /sys mounted; --file reads others.`,
      { cause },
    );
  }
  return bytes.toString('latin1', 0, ELF_MAGIC.length) === ELF_MAGIC ? btfSection(bytes) : bytes;
}
