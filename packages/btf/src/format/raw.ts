import type { Btf } from '../btf.ts';
import { dump, type Syntax } from './dump.ts';

const syntax: Syntax = {
  begin: '',
  end: '',
  between: '',
  type: ['[', (kind) => `] ${kind} '`, "'", '\n'],
  field: (name) => ` ${name}=`,
  word: (name, value) => ` ${name}=${value}`,
  varLinkage: (value) => `, linkage=${value}`,
  list: () => '',
  listEnd: '',
  entry: '\n\t',
  nextEntry: '',
  entryName: ["'", "'"],
  entryField: (name) => `${name}=`,
  entryEnd: '',
  long: ['LL', 'ULL'],
  sectionVar: [(kind) => ` (${kind} '`, "')"],
};

/**
 * Every type in the text of `bpftool btf dump file … format raw`, byte by byte the same: a line for each type, and one
 * for each of its members, values or parameters. Of split BTF, as there, only its own types.
 *
 * What comes are chunks of some 64 KiB, made as they are asked for. They are bytes, not strings, because names are:
 * what BTF has is what is written.
 *
 * @throws BtfError `CORRUPT`
 * @example
 * ```ts
 * for (const chunk of formatRaw(btf)) process.stdout.write(chunk);
 * // [1] INT 'long unsigned int' size=8 bits_offset=0 nr_bits=64 encoding=(none)
 * ```
 */
export function formatRaw(btf: Btf): Generator<Uint8Array, void, undefined> {
  return dump(btf, syntax);
}
