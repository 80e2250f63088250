import { formatType } from '@bpf/btf/format';
import { type BtfOptions, withBtf } from './btf-file.ts';
import { requireTypes } from './btf-names.ts';
import { print } from './output.ts';

/** `bpf btf type`: every type with the name, of whatever kind. */
export async function showType(words: readonly string[], options: BtfOptions): Promise<void> {
  await withBtf(options, (btf) => {
    const definitions = requireTypes(btf, words.join(' ')).map((id) => `${formatType(btf, id)}\n`);
    return print([definitions.join('\n')]);
  });
}
