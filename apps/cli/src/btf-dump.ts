import { formatC, formatJson, formatRaw } from '@bpf/btf/format';
import { type BtfOptions, withBtf } from './btf-file.ts';
import { requireNames } from './btf-names.ts';
import type { BtfDumpFormat } from './choices.ts';
import { print } from './output.ts';

interface DumpOptions extends BtfOptions {
  readonly format: BtfDumpFormat;
  readonly root?: readonly string[];
}

/** `bpf btf dump` */
export async function dumpTypes(options: DumpOptions): Promise<void> {
  const { format, root } = options;
  if (root && format !== 'c')
    throw new Error(`--root goes with --format c: as ${format}, types are printed as they are.`);
  await withBtf(options, (btf) => {
    switch (format) {
      case 'raw':
        return print(formatRaw(btf));
      case 'json':
        return print(formatJson(btf));
      case 'c':
        return print([formatC(btf, root ? { roots: requireNames(btf, root) } : {})]);
    }
  });
}
