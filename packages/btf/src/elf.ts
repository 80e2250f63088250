import { BtfError } from './error.ts';

const MAGIC = 0x7f454c46;
const NAME = '.BTF\0';
const SHT_NOBITS = 8;
const SHF_COMPRESSED = 0x800;
/** e_shstrndx of a file whose section count does not fit in 16 bits: the number is in section 0's sh_link. */
const SHN_XINDEX = 0xffff;

/** Where the two classes of ELF keep what is read here. Addresses and sizes are 8 bytes in one, 4 in the other. */
const layouts = {
  32: { header: 52, shoff: 32, shentsize: 46, entry: 40, flags: 8, offset: 16, size: 20, link: 24 },
  64: { header: 64, shoff: 40, shentsize: 58, entry: 64, flags: 8, offset: 24, size: 32, link: 40 },
} as const;

interface Section {
  readonly nameOffset: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/**
 * The `.BTF` section of an ELF file, 32 or 64 bits, of either endianness: an object that clang or gcc wrote, a kernel
 * image, a module. A view of `bytes`, not a copy.
 *
 * @throws BtfError `CORRUPT_ELF` for bytes that are not ELF, or whose sections do not lie in them; `NOT_FOUND` when it
 * has no `.BTF`
 * @example
 * ```ts
 * const btf = parseBtf(btfSection(readFileSync('prog.bpf.o')));
 * ```
 */
export function btfSection(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 6 || view.getUint32(0) !== MAGIC) corruptElf(0, 'this is not an ELF file');
  const bits = ({ 1: 32, 2: 64 } as const)[view.getUint8(4)] ?? corruptElf(4, `class ${view.getUint8(4)} is unknown`);
  const order = view.getUint8(5);
  if (order !== 1 && order !== 2) corruptElf(5, `byte order ${order} is unknown`);
  const littleEndian = order === 1;
  const layout = layouts[bits];
  if (bytes.byteLength < layout.header)
    corruptElf(0, `${bytes.byteLength} bytes are too few for its header of ${layout.header}`);

  const u16 = (at: number): number => view.getUint16(at, littleEndian);
  const u32 = (at: number): number => view.getUint32(at, littleEndian);
  // Beyond 2^53 a number is inexact, and out of bounds all the same.
  const word = (at: number): number => (bits === 64 ? Number(view.getBigUint64(at, littleEndian)) : u32(at));

  const table = word(layout.shoff);
  const entryBytes = u16(layout.shentsize);
  if (table === 0) throw new BtfError('NOT_FOUND', 'this ELF file has no sections, and so no .BTF');
  if (entryBytes < layout.entry)
    corruptElf(layout.shentsize, `a section header of ${entryBytes} bytes is too short: it has ${layout.entry}`);
  const section = (index: number): Section => {
    const at = table + index * entryBytes;
    if (at + layout.entry > bytes.byteLength)
      corruptElf(at, `the header of section ${index} does not lie in the ${bytes.byteLength} bytes given`);
    return {
      nameOffset: u32(at),
      type: u32(at + 4),
      flags: u32(at + layout.flags + (bits === 64 && !littleEndian ? 4 : 0)),
      offset: word(at + layout.offset),
      size: word(at + layout.size),
      link: u32(at + layout.link),
    };
  };
  const count = u16(layout.shentsize + 2) || section(0).size;
  const namesIndex = u16(layout.shentsize + 4);
  const names = section(namesIndex === SHN_XINDEX ? section(0).link : namesIndex);
  for (let index = 1; index < count; index++) {
    const { nameOffset, type, flags, offset, size } = section(index);
    if (nameOffset + NAME.length > names.size || !holds(bytes, names.offset + nameOffset)) continue;
    if (type === SHT_NOBITS || flags & SHF_COMPRESSED)
      corruptElf(table + index * entryBytes, 'its .BTF section is compressed or was stripped of its bytes');
    if (offset + size > bytes.byteLength)
      corruptElf(
        table + index * entryBytes,
        `.BTF, bytes ${offset}..${offset + size}, does not lie in the ${bytes.byteLength} bytes given`,
      );
    return bytes.subarray(offset, offset + size);
  }
  throw new BtfError('NOT_FOUND', 'this ELF file has no .BTF section: compile with -g for BPF, or with -gbtf');
}

function holds(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < NAME.length; i++) if (bytes[at + i] !== NAME.charCodeAt(i)) return false;
  return true;
}

function corruptElf(byteOffset: number, message: string): never {
  throw new BtfError('CORRUPT_ELF', message, byteOffset);
}
