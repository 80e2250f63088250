import type { Btf } from '../btf.ts';
import { nameBytes } from '../raw.ts';
import { dump, type Syntax } from './dump.ts';

/** For each byte that does not stand for itself in a JSON string, what does. */
const escapes = Array.from({ length: 128 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  const escaped = JSON.stringify(char).slice(1, -1);
  return escaped === char ? undefined : nameBytes(escaped);
});

const syntax: Syntax = {
  begin: '{"types":[',
  end: ']}\n',
  between: ',',
  type: ['{"id":', (kind) => `,"kind":"${kind}","name":"`, '"', '}'],
  field: (name) => `,"${name}":`,
  word: (name, value) => `,"${name}":"${value}"`,
  varLinkage: (value) => `,"linkage":"${value}"`,
  list: (name) => `,"${name}":[`,
  listEnd: ']',
  entry: '{',
  nextEntry: ',',
  entryName: ['"name":"', '"'],
  entryField: (name) => `"${name}":`,
  entryEnd: '}',
  long: ['', ''],
  escapes,
};

/**
 * Every type as JSON, as `bpftool -j btf dump file …` has it, in chunks of some 64 KiB of bytes:
 * `{"types":[{"id":1,"kind":"INT","name":"int","size":4,…},…]}` and a newline. Of split BTF, only its own types.
 *
 * Values of 64-bit enums are numbers in all their digits, more than a JavaScript number holds: `JSON.parse` rounds them.
 *
 * @throws BtfError `CORRUPT`
 * @example
 * ```ts
 * for (const chunk of formatJson(btf)) process.stdout.write(chunk);
 * ```
 */
export function formatJson(btf: Btf): Generator<Uint8Array, void, undefined> {
  return dump(btf, syntax);
}
