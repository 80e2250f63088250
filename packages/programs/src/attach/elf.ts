// Where in an ELF file a function is: what a uprobe wants. elf(5); reads no more of the file than its tables.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ProgramError } from '../error.ts';

const LE = true;
const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const SHDR_BYTES = 64;
const SYM_BYTES = 24;
const PT_LOAD = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const STT_FUNC = 2;
const STB_LOCAL = 0;

/**
 * The offset in the file of a function of .symtab, or else .dynsym. A global one comes before local ones of the same name.
 *
 * @throws ProgramError `NO_TARGET` for a file or function that is not there, or of which there are several, `NOT_ELF`
 */
export function symbolOffset(path: string, symbol: string): bigint {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    throw new ProgramError('NO_TARGET', `'${path}' cannot be opened (${(error as NodeJS.ErrnoException).code})`, error);
  }
  try {
    const file = new ElfFile(path, fd);
    const addresses = [SHT_SYMTAB, SHT_DYNSYM].map((type) => file.find(type, symbol)).find(({ size }) => size > 0);
    const offsets = new Set([...(addresses ?? [])].map((address) => file.offsetOf(address)));
    const [offset, ...more] = offsets;
    if (offset === undefined)
      throw new ProgramError(
        'NO_TARGET',
        `'${path}' has no function '${symbol}' in its symbol tables: give its offset`,
      );
    if (more.length === 0) return offset;
    throw new ProgramError('NO_TARGET', `'${path}' has ${offsets.size} functions '${symbol}': give the offset of one`);
  } finally {
    closeSync(fd);
  }
}

class ElfFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #bytes: number;
  readonly #segments: DataView;
  readonly #sections: DataView;

  constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
    const status = fstatSync(fd);
    this.#bytes = status.size;
    if (!status.isFile()) throw this.#error('it is not a regular file');
    const header = this.#read('header', 0n, EHDR_BYTES);
    // 0x7f ELF, 64-bit, little-endian.
    if (header.getUint32(0, LE) !== 0x46_4c_45_7f || header.getUint16(4, LE) !== 0x0102)
      throw this.#error('it is not an ELF file of 64 bits, little-endian');
    if (header.getUint16(54, LE) !== PHDR_BYTES || header.getUint16(58, LE) !== SHDR_BYTES)
      throw this.#error('it has no segments, or no sections');
    this.#segments = this.#read('segments', header.getBigUint64(32, LE), header.getUint16(56, LE) * PHDR_BYTES);
    this.#sections = this.#read('sections', header.getBigUint64(40, LE), header.getUint16(60, LE) * SHDR_BYTES);
  }

  /** The addresses of the functions of this name in the symbol tables of a type. */
  find(type: number, symbol: string): Set<bigint> {
    const global = new Set<bigint>();
    const local = new Set<bigint>();
    for (let at = 0; at < this.#sections.byteLength; at += SHDR_BYTES) {
      if (this.#sections.getUint32(at + 4, LE) !== type) continue;
      const names = namesOf(this.#section(this.#sections.getUint32(at + 40, LE) * SHDR_BYTES), symbol);
      const symbols = this.#section(at);
      for (let i = 0; names.size > 0 && i + SYM_BYTES <= symbols.byteLength; i += SYM_BYTES) {
        const info = symbols.getUint8(i + 4);
        const defined = symbols.getUint16(i + 6, LE) !== 0;
        if (!defined || (info & 15) !== STT_FUNC || !names.has(symbols.getUint32(i, LE))) continue;
        (info >> 4 === STB_LOCAL ? local : global).add(symbols.getBigUint64(i + 8, LE));
      }
    }
    return global.size > 0 ? global : local;
  }

  /** Through the segment that the address is in. */
  offsetOf(address: bigint): bigint {
    for (let at = 0; at < this.#segments.byteLength; at += PHDR_BYTES) {
      const [offset, from] = [this.#segments.getBigUint64(at + 8, LE), this.#segments.getBigUint64(at + 16, LE)];
      const bytes = this.#segments.getBigUint64(at + 32, LE);
      if (this.#segments.getUint32(at, LE) === PT_LOAD && address >= from && address < from + bytes)
        return address - from + offset;
    }
    throw this.#error(`address 0x${address.toString(16)} is in none of its segments`);
  }

  #section(at: number): DataView {
    if (at + SHDR_BYTES > this.#sections.byteLength)
      throw this.#error('a symbol table names a section that is not there');
    return this.#read(
      'section',
      this.#sections.getBigUint64(at + 24, LE),
      Number(this.#sections.getBigUint64(at + 32, LE)),
    );
  }

  #read(what: string, offset: bigint, length: number): DataView {
    if (Number(offset) + length > this.#bytes) throw this.#error(`its ${what} would end at ${Number(offset) + length}`);
    const bytes = new Uint8Array(length);
    if (readSync(this.#fd, bytes, 0, length, Number(offset)) !== length)
      throw this.#error(`its ${what} cannot be read`);
    return new DataView(bytes.buffer);
  }

  #error(reason: string): ProgramError {
    return new ProgramError('NOT_ELF', `'${this.#path}', of ${this.#bytes} bytes, cannot be used: ${reason}`);
  }
}

/** Where in a table of strings this name is: whole, or up to a version ('name@@V1'). One may be the end of another. */
function namesOf({ buffer }: DataView, symbol: string): Set<number> {
  const table = Buffer.from(buffer);
  const found = new Set<number>();
  const length = Buffer.byteLength(symbol);
  if (length === 0) return found;
  for (let at = table.indexOf(symbol); at >= 0; at = table.indexOf(symbol, at + 1))
    if (table[at + length] === 0 || table[at + length] === 0x40) found.add(at);
  return found;
}
