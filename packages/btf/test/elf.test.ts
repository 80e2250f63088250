import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BtfError, btfSection, parseBtf } from '../src/index.ts';

interface ElfOptions {
  readonly bits?: 32 | 64;
  readonly littleEndian?: boolean;
  readonly name?: string;
  readonly type?: number;
  readonly flags?: number;
  /** With the count of sections and the index of their names in section 0, as files of many sections have it. */
  readonly many?: boolean;
}

const CONTENT = Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 5);

/** An ELF file of three sections: null, the names, and one with CONTENT. */
function elf({ bits = 64, littleEndian = true, name = '.BTF', type = 1, flags = 0, many = false }: ElfOptions = {}) {
  const [header, entry] = bits === 64 ? [64, 64] : [52, 40];
  const names = `\0.names\0${name}\0`;
  const bytes = new Uint8Array(header + names.length + CONTENT.length + 3 * entry);
  const view = new DataView(bytes.buffer);
  const table = header + names.length + CONTENT.length;
  const word = (at: number, value: number): void => {
    if (bits === 64) view.setBigUint64(at, BigInt(value), littleEndian);
    else view.setUint32(at, value, littleEndian);
  };
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, littleEndian ? 1 : 2, 1]);
  word(bits === 64 ? 40 : 32, table);
  const counts = bits === 64 ? 58 : 46;
  view.setUint16(counts, entry, littleEndian);
  view.setUint16(counts + 2, many ? 0 : 3, littleEndian);
  view.setUint16(counts + 4, many ? 0xffff : 1, littleEndian);
  bytes.set(new TextEncoder().encode(names), header);
  bytes.set(CONTENT, header + names.length);
  const section = (index: number, nameAt: number, kind: number, offset: number, size: number, link = 0): void => {
    const at = table + index * entry;
    const w = bits / 8;
    view.setUint32(at, nameAt, littleEndian);
    view.setUint32(at + 4, kind, littleEndian);
    word(at + 8, index === 2 ? flags : 0);
    word(at + 8 + 2 * w, offset);
    word(at + 8 + 3 * w, size);
    view.setUint32(at + 8 + 4 * w, link, littleEndian);
  };
  section(0, 0, 0, 0, many ? 3 : 0, many ? 1 : 0);
  section(1, 1, 3, header, names.length);
  section(2, 8, type, header + names.length, CONTENT.length);
  return bytes;
}

describe.each([32, 64] as const)('ELF of %s bits', (bits) => {
  test.each([true, false])('has its section cut out, little-endian: %s', (littleEndian) => {
    expect(btfSection(elf({ bits, littleEndian }))).toEqual(CONTENT);
    expect(btfSection(elf({ bits, littleEndian, many: true }))).toEqual(CONTENT);
  });

  test('within a larger buffer', () => {
    const file = elf({ bits });
    const larger = new Uint8Array(file.length + 20);
    larger.set(file, 7);
    expect(btfSection(larger.subarray(7, 7 + file.length))).toEqual(CONTENT);
  });

  test.each([true, false])('compressed or emptied sections are refused, little-endian: %s', (littleEndian) => {
    const refused = expect.objectContaining({ code: 'CORRUPT_ELF' });
    expect(() => btfSection(elf({ bits, littleEndian, flags: 0x800 }))).toThrow(refused);
    expect(() => btfSection(elf({ bits, littleEndian, type: 8 }))).toThrow(refused);
  });

  test('cut short anywhere, it is an error', () => {
    const file = elf({ bits });
    for (let length = 0; length < file.length; length++)
      expect(() => btfSection(file.subarray(0, length)), `${length}`).toThrow(BtfError);
  });
});

test('errors say what is wrong and where', () => {
  expect(() => btfSection(new Uint8Array(100))).toThrow('the ELF file is corrupt at byte 0: this is not an ELF file');
  expect(() => btfSection(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'CORRUPT_ELF', byteOffset: 0 }));
  expect(() => btfSection(elf({ name: '.BTF.ext' }))).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(() => btfSection(elf({ name: '.BT' }))).toThrow('this ELF file has no .BTF section');
});

test('whatever the bytes are, it ends in a section or a BtfError', () => {
  const files = [elf(), elf({ bits: 32, littleEndian: false }), elf({ many: true })];
  const change = fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 }));
  fc.assert(
    fc.property(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 6 }), (file, changes) => {
      const bytes = file.slice();
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      try {
        btfSection(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BtfError);
      }
    }),
    { numRuns: 2000 },
  );
});

const compiler = spawnSync('gcc', ['-gbtf', '--version']).status === 0;
if (!compiler) console.log('objects of a compiler: skipped, there is no gcc that knows -gbtf');

test.skipIf(!compiler)('objects of a compiler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'btf-elf-'));
  try {
    writeFileSync(join(folder, 'a.c'), 'struct pair { int a; long b; } pair;');
    const object = (...flags: string[]): Uint8Array => {
      execFileSync('gcc', [...flags, '-c', 'a.c', '-o', 'a.o'], { cwd: folder });
      return readFileSync(join(folder, 'a.o'));
    };
    expect(parseBtf(btfSection(object('-gbtf'))).member('pair', 'b')).toMatchObject({ offset: 8, size: 8 });
    expect(() => btfSection(object())).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
