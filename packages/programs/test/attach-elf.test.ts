import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { symbolOffset } from '../src/attach/elf.ts';
import { ProgramError } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'elf-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file');

interface Symbol {
  readonly name: string;
  readonly value: number;
  /** STT_FUNC unless told. */
  readonly type?: number;
  /** STB_GLOBAL unless told. */
  readonly bind?: number;
  /** SHN_UNDEF is 0. */
  readonly section?: number;
}

const BASE = 0x40_0000;
const CODE = 0x1000;

/** An ELF file whose code is at offset 0x1000 and address 0x400000, with these symbols. */
function elf(symtab: readonly Symbol[], dynsym: readonly Symbol[] = []): Buffer {
  const file = Buffer.alloc(0x2000);
  file.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  const phoff = 64;
  const shoff = 128;
  file.writeBigUInt64LE(BigInt(phoff), 32);
  file.writeBigUInt64LE(BigInt(shoff), 40);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt16LE(64, 58);
  file.writeUInt16LE(5, 60);
  file.writeUInt32LE(1, phoff);
  file.writeBigUInt64LE(BigInt(CODE), phoff + 8);
  file.writeBigUInt64LE(BigInt(BASE), phoff + 16);
  file.writeBigUInt64LE(0x1000n, phoff + 32);
  let end = shoff + 5 * 64;
  const section = (index: number, type: number, bytes: Buffer, link: number): void => {
    const at = shoff + index * 64;
    file.writeUInt32LE(type, at + 4);
    file.writeBigUInt64LE(BigInt(end), at + 24);
    file.writeBigUInt64LE(BigInt(bytes.length), at + 32);
    file.writeUInt32LE(link, at + 40);
    bytes.copy(file, end);
    end += bytes.length;
  };
  for (const [index, type, symbols] of [
    [1, 2, symtab],
    [3, 11, dynsym],
  ] as const) {
    const names = Buffer.from(`\0${symbols.map(({ name }) => `${name}\0`).join('')}`);
    const table = Buffer.alloc(symbols.length * 24);
    symbols.forEach(({ name, value, type = 2, bind = 1, section = 1 }, i) => {
      table.writeUInt32LE(names.indexOf(`\0${name}\0`) + 1, i * 24);
      table.writeUInt8(bind * 16 + type, i * 24 + 4);
      table.writeUInt16LE(section, i * 24 + 6);
      table.writeBigUInt64LE(BigInt(value), i * 24 + 8);
    });
    section(index, type, table, index + 1);
    section(index + 1, 3, names, 0);
  }
  return file;
}

const find = (file: Buffer, symbol: string): bigint => {
  writeFileSync(path, file);
  return symbolOffset(path, symbol);
};
const at = (name: string, offset: number, facts: Partial<Symbol> = {}): Symbol => ({
  name,
  value: BASE + offset,
  ...facts,
});

test('a function is found in .symtab, then .dynsym, through its segment', () => {
  expect(find(elf([at('one', 0), at('two', 0x10)]), 'two')).toBe(0x1010n);
  expect(find(elf([], [at('two', 0x20)]), 'two')).toBe(0x1020n);
  expect(find(elf([at('two', 0x10)], [at('two', 0x20)]), 'two')).toBe(0x1010n);
  expect(find(elf([at('memcpy@@GLIBC_2.14', 0x30)]), 'memcpy')).toBe(0x1030n);
});

test('only defined functions of the whole name count', () => {
  const file = elf([
    at('undefined', 0, { section: 0 }),
    at('variable', 0, { type: 1 }),
    at('my_read', 0x10),
    at('read_it', 0x20),
    at('read', 0x30),
  ]);
  expect(find(file, 'read')).toBe(0x1030n);
  for (const name of ['undefined', 'variable', 'rea', 'ead', ''])
    expect(() => find(file, name), name).toThrow(`'${path}' has no function '${name}' in its symbol tables`);
});

test('a global function comes before local ones, and of several the caller chooses', () => {
  expect(find(elf([at('f', 0x10, { bind: 0 }), at('f', 0x20)]), 'f')).toBe(0x1020n);
  expect(find(elf([at('f', 0x20), at('f', 0x20)]), 'f')).toBe(0x1020n);
  const two = elf([at('f', 0x10, { bind: 0 }), at('f', 0x20, { bind: 0 })]);
  expect(() => find(two, 'f')).toThrow(`'${path}' has 2 functions 'f': give the offset of one`);
  expect(() => find(elf([at('f', 0x5000)]), 'f')).toThrow('address 0x405000 is in none of its segments');
});

test('what is no ELF file ends in an error of one sentence', () => {
  expect(() => symbolOffset(join(folder, 'none'), 'f')).toThrow("none' cannot be opened (ENOENT)");
  expect(() => symbolOffset(folder, 'f')).toThrow(ProgramError);
  for (const bytes of [Buffer.alloc(0), Buffer.from('#!/bin/sh'), Buffer.alloc(100)])
    expect(() => find(bytes, 'f')).toThrow(`'${path}', of ${bytes.length} bytes, cannot be used: `);
});

test('damage ends in an answer or a ProgramError, never otherwise', () => {
  const whole = elf([at('one', 0), at('two', 0x10)], [at('three', 0x20)]);
  const damage = fc.record({
    length: fc.integer({ min: 0, max: whole.length }),
    bytes: fc.array(fc.tuple(fc.integer({ min: 0, max: 800 }), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(damage, ({ length, bytes }) => {
      const file = Buffer.from(whole.subarray(0, length));
      for (const [at, byte] of bytes) if (at < file.length) file[at] = byte;
      try {
        find(file, 'two');
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
