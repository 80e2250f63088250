/** A BTF record: name, kind number, vlen, kind_flag, size or type, and what follows it, in u32s. */
export interface Record {
  readonly name?: string;
  readonly kind: number;
  readonly vlen?: number;
  readonly kindFlag?: boolean;
  readonly sizeOrType?: number;
  /** What the kind adds; a string stands for its offset in the string section. */
  readonly extra?: readonly (number | string)[];
}

/** Lays out BTF by hand, for tests to read. */
export function buildBtf(records: readonly Record[], littleEndian = true): Uint8Array {
  let strings = '\0';
  const offset = (text: string): number => {
    if (text === '') return 0;
    const at = strings.indexOf(`\0${text}\0`);
    if (at >= 0) return at + 1;
    strings += `${text}\0`;
    return strings.length - text.length - 1;
  };
  const words = records.flatMap(({ name = '', kind, vlen = 0, kindFlag = false, sizeOrType = 0, extra = [] }) => [
    offset(name),
    ((kindFlag ? 0x8000_0000 : 0) | (kind << 24) | vlen) >>> 0,
    sizeOrType,
    ...extra.map((word) => (typeof word === 'string' ? offset(word) : word)),
  ]);
  const bytes = new Uint8Array(24 + words.length * 4 + strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, littleEndian);
  view.setUint8(2, 1);
  const header = [24, 0, words.length * 4, words.length * 4, strings.length];
  for (const [i, word] of header.entries()) view.setUint32(4 + i * 4, word, littleEndian);
  for (const [i, word] of words.entries()) view.setUint32(24 + i * 4, word, littleEndian);
  bytes.set(
    Uint8Array.from(strings, (char) => char.charCodeAt(0)),
    24 + words.length * 4,
  );
  return bytes;
}
