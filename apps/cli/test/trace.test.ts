import { expect, test } from 'vitest';
import { sockaddrText } from '../src/trace/address.ts';
import { type Event, eventJson, eventText } from '../src/trace/event.ts';
import { duration, histogramJson, histogramLines } from '../src/trace/histogram.ts';
import { withErrno } from '../src/trace/show.ts';
import { parseSymbols } from '../src/trace/symbols.ts';

const bytes = (hex: string): Uint8Array =>
  Uint8Array.from(Buffer.from(hex.replaceAll(' ', '').padEnd(220, '0'), 'hex'));

test.each([
  ['0200 1f90 7f000001', '127.0.0.1:8080'],
  ['0a00 0050 00000000 00000000000000000000000000000001', '[::1]:80'],
  ['0a00 01bb 00000000 20010db8000000000001000000000002', '[2001:db8::1:0:0:2]:443'],
  [`0100 ${Buffer.from('/run/socket').toString('hex')}`, 'unix:/run/socket'],
  [`0100 00 ${Buffer.from('abstract').toString('hex')}`, 'unix:@abstract'],
  ['0000', 'AF_UNSPEC'],
  ['1000', 'family 16'],
])('the sockaddr %s is %s', (hex, text) => {
  expect(sockaddrText(bytes(hex))).toBe(text);
});

test.each([
  [0, '0 ns'],
  [512, '512 ns'],
  [2 ** 12, '4.1 µs'],
  [2 ** 20, '1.05 ms'],
  [2 ** 30, '1.07 s'],
])('%i ns is %s', (ns, text) => {
  expect(duration(ns)).toBe(text);
});

test('a histogram goes from the first bucket with calls to the last', () => {
  const buckets = Array.from({ length: 64 }, (_, i) => ({ 9: 1n, 10: 400n, 12: 100n })[i] ?? 0n);
  expect([...histogramLines(buckets)].join('')).toBe(
    `
   512 ns .. 1.02 µs    1  |@                                       |
  1.02 µs .. 2.05 µs  400  |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|
  2.05 µs ..  4.1 µs    0  |                                        |
   4.1 µs .. 8.19 µs  100  |@@@@@@@@@@                              |
`.slice(1),
  );
  expect(histogramJson(buckets)).toEqual([
    { from: 512, to: 1024, count: 1n },
    { from: 1024, to: 2048, count: 400n },
    { from: 4096, to: 8192, count: 100n },
  ]);
  expect([...histogramLines(new Array<bigint>(64).fill(0n))]).toEqual([]);
});

test('symbols are found by any address within', () => {
  const kallsyms = `ffffffff81000000 T _stext
ffffffff81000040 t second
ffffffff81000030 D data
0000000000000000 T hidden
ffffffffc0000000 t third	[module]
`;
  const symbols = parseSymbols(kallsyms);
  expect(symbols(0xffffffff81000000n)).toBe('_stext+0x0');
  expect(symbols(0xffffffff8100003fn)).toBe('_stext+0x3f');
  expect(symbols(0xffffffff81000041n)).toBe('second+0x1');
  expect(symbols(0xffffffffc0000010n)).toBe('third+0x10');
  expect(symbols(0x1000n)).toBe('0x1000');
  expect(parseSymbols('')(0xffffffff81000000n)).toBe('0xffffffff81000000');
});

test.each([
  [-2, '-2 ENOENT'],
  [-4095, '-4095'],
  [-4096n, '-4096'],
  [3, '3'],
  ['0xfffffffffffffff5', '-11 EAGAIN'],
  ['0xffff888000000000', '0xffff888000000000'],
  [true, 'true'],
])('what returned %s is shown as %s', (json, text) => {
  expect(withErrno({ json, text: String(json) })).toEqual({ json, text });
});

const event: Event = {
  ktime: 1n,
  time: 1_789_000_000_123_456_789n,
  comm: 'a\x1b',
  pid: 7,
  tid: 8,
  function: 'f',
  args: { fd: { json: 3, text: '3' }, 'file.name': { json: 'x', text: '"x"' } },
  ret: { json: -2, text: '-2 ENOENT' },
  stack: ['f+0x1', 'g+0x2'],
};

test('an event is a line, with its stack beneath', () => {
  expect(eventText(event)).toMatch(
    /^\d\d:\d\d:\d\d\.123456 {2}a\\x1b {18}7 {2}f\(fd=3, file\.name="x"\) = -2 ENOENT\n {4}f\+0x1\n {4}g\+0x2\n$/,
  );
});

test('an event is a JSON object with the same keys whatever it is', () => {
  expect(eventJson(event)).toBe(
    '{"time":"2026-09-10T00:26:40.123456Z","comm":"a\\u001b","pid":7,"tid":8,"function":"f","args":{"fd":3,"file.name":"x"},"ret":-2,"stack":["f+0x1","g+0x2"]}\n',
  );
  const nothing = { ...event, ret: null, stack: undefined };
  expect(Object.keys(JSON.parse(eventJson(nothing)))).toEqual([
    'time',
    'comm',
    'pid',
    'tid',
    'function',
    'args',
    'ret',
  ]);
});
