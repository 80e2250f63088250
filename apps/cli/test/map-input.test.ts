import { array, char, f64, struct, u32, u64 } from '@bpf/btf/data';
import { expect, test } from 'vitest';
import { exact, parseExactly } from '../src/map/input.ts';

test.each([
  ['1', 1],
  ['9007199254740993', '9007199254740993'],
  ['-9223372036854775808', '-9223372036854775808'],
  [
    '{"a": 9223372036854775809, "b": [1, 9223372036854775809]}',
    { a: '9223372036854775809', b: [1, '9223372036854775809'] },
  ],
  ['"a \\" 9223372036854775809"', 'a " 9223372036854775809'],
  ['[0.12345678901234567890, 1234567890123456789e-3]', [0.12345678901234568, 1234567890123456.8]],
  ['init', 'init'],
])('%s is read as what it says', (text, value) => {
  expect(parseExactly(text)).toEqual(value);
});

test('digits are integers where the type has them', () => {
  const schema = struct({ a: u64, b: array(u64, 2), c: char(20), d: struct({ e: u32 }), f: f64 });
  const digits = '1234567890123456789';
  expect(exact(schema, { a: digits, b: [1, '2'], c: digits, d: { e: '3' }, f: digits, other: digits })).toEqual({
    a: 1234567890123456789n,
    b: [1, 2n],
    c: digits,
    d: { e: 3n },
    f: Number(digits),
    other: digits,
  });
  expect(exact(u64, ['1', 2])).toEqual([1n, 2]);
});
