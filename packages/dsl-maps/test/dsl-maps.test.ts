import { assemble, type Program, slotCount } from '@bpf/insn';
import { expect, test } from 'vitest';
import * as dsl from '../src/index.ts';
import { BPF_ANY, BPF_EXIST, BPF_F_LOCK, BPF_NOEXIST, mapLookup, mapUpdate } from '../src/index.ts';

const hex = (program: Program): string =>
  Array.from(assemble(program), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/.{16}(?=.)/g, '$& ');

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "BPF_ANY",
      "BPF_EXIST",
      "BPF_F_LOCK",
      "BPF_NOEXIST",
      "mapLookup",
      "mapUpdate",
    ]
  `);
  expect([BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK]).toEqual([0, 1, 2, 4]);
});

test('mapLookup', () => {
  expect(hex(mapLookup(42, -16))).toBe(
    '181100002a000000 0000000000000000 bfa2000000000000 07020000f0ffffff 8500000001000000',
  );
  expect(slotCount(mapLookup('m', -4))).toBe(5);
});

test('mapUpdate', () => {
  expect(hex(mapUpdate(42, -16, -32, BPF_NOEXIST))).toBe(
    '181100002a000000 0000000000000000 bfa2000000000000 07020000f0ffffff bfa3000000000000 07030000e0ffffff b704000001000000 8500000002000000',
  );
});

test('an offset outside the stack is refused', () => {
  for (const bad of [0, 4, -513, -1.5])
    expect(() => mapLookup('m', bad)).toThrow(`${bad} is not in the stack, whose offsets are -512..-1`);
  expect(() => mapUpdate('m', -4, 0)).toThrow(RangeError);
});
