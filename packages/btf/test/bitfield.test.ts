import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeBtf } from '../src/build/index.ts';
import { parseBtf } from '../src/index.ts';

/** A struct with one bitfield of an `unsigned int`, wherever its bits are. */
function access(bitOffset: number, bitSize: number) {
  const members = [{ name: 'bits', typeId: 1, bitOffset, bitSize }];
  const bytes = encodeBtf([
    { kind: 'int', name: 'unsigned int', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' },
    { kind: 'struct', name: 's', size: 64, members },
  ]);
  return parseBtf(bytes).access('s', 'bits');
}

test('the bits of struct bpf_prog are read without the u16 before them', () => {
  // u16 pages; u32 jited : 1, …, at bit 16: 7.2 refuses a load from byte 0, which C makes.
  expect(access(16, 1)).toMatchObject({ offset: 2, size: 1, bitfield: { offset: 0, size: 1 } });
  expect(access(22, 4)).toMatchObject({ offset: 2, size: 2, bitfield: { offset: 6, size: 4 } });
});

test('a bitfield is read with the smallest aligned integer that holds it', () => {
  fc.assert(
    fc.property(fc.nat(400), fc.integer({ min: 1, max: 32 }), (bit, width) => {
      fc.pre((bit % 32) + width <= 32); // as C lays them out
      const { offset, size, bitfield } = access(bit, width);
      expect(offset % size).toBe(0);
      expect(bitfield).toEqual({ offset: bit - offset * 8, size: width });
      expect((bitfield?.offset ?? 0) + width).toBeLessThanOrEqual(size * 8);
      const half = size / 2;
      const fits = half >= 1 && Math.floor(bit / (half * 8)) === Math.floor((bit + width - 1) / (half * 8));
      expect(fits).toBe(false);
    }),
  );
});
