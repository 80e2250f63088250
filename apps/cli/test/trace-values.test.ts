import { parseBtf } from '@bpf/btf';
import { encodeBtf } from '@bpf/btf/build';
import { expect, test } from 'vitest';
import { decoder, type Event } from '../src/trace/event.ts';
import { plan, type Traced } from '../src/trace/plan.ts';
import { BYTES_AT, layOut, STRING_BYTES, STRING_ROOM } from '../src/trace/record.ts';

const [INT, PTR_TEXT, PTR_NODE] = [1, 4, 8];
const member = (name: string, typeId: number, bitOffset: number, bitSize = 0) => ({ name, typeId, bitOffset, bitSize });

/** `const char *name_of(struct node *node)`, `struct node *next_of(struct node *node)`. */
const btf = parseBtf(
  encodeBtf([
    { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
    { kind: 'int', name: 'char', size: 1, bits: 8, bitOffset: 0, encoding: 'signed' },
    { kind: 'const', typeId: 2 },
    { kind: 'ptr', typeId: 3 },
    { kind: 'int', name: 'unsigned int', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' },
    { kind: 'enum', name: 'level', size: 4, signed: true, values: [{ name: 'LOW', value: -2 }] },
    {
      kind: 'struct',
      name: 'node',
      size: 16,
      members: [
        member('next', PTR_NODE, 0),
        member('count', INT, 64),
        member('small', INT, 96, 3),
        member('plain', 5, 99, 3),
        member('level', 6, 102, 3),
      ],
    },
    { kind: 'ptr', typeId: 7 },
    { kind: 'func_proto', returnTypeId: PTR_TEXT, params: [{ name: 'node', typeId: PTR_NODE }] },
    { kind: 'func', name: 'name_of', typeId: 9, linkage: 'static' },
    { kind: 'func_proto', returnTypeId: PTR_NODE, params: [{ name: 'node', typeId: PTR_NODE }] },
    { kind: 'func', name: 'next_of', typeId: 11, linkage: 'static' },
  ]),
);

/** What is decoded of a call whose record `fill` wrote: at each place, as the program does. */
function decoded(name: string, args: string[], fill: (view: DataView, at: readonly number[]) => void): Event {
  const traced = plan(btf, [{ func: btf.func(name), named: true }], args, true) as [Traced];
  const { values, size } = layOut(traced[0], false);
  const record = new Uint8Array(size);
  fill(
    new DataView(record.buffer),
    values.map(({ at }) => at),
  );
  return decoder(btf, traced, undefined)(record);
}

/** Writes the address, what the helper returned, and what it read. */
function putRead(view: DataView, at = 0, address: bigint, result: number, bytes: Uint8Array = new Uint8Array()): void {
  view.setBigUint64(at, address, true);
  view.setBigInt64(at + 8, BigInt(result), true);
  new Uint8Array(view.buffer).set(bytes, at + BYTES_AT);
}

test.each(['0xzz', '0xffffffffffffffff', '-2'])('the string %s that a function returns is a string', (text) => {
  const { ret } = decoded('name_of', [], (view, [at]) =>
    putRead(view, at, 0x1000n, text.length + 1, new TextEncoder().encode(`${text}\0`)),
  );
  expect(ret).toEqual({ json: text, text: JSON.stringify(text) });
});

test('a pointer that a function returns may be an error', () => {
  const { ret } = decoded('next_of', [], (view, [at = 0]) => view.setBigInt64(at, -2n, true));
  expect(ret).toEqual({ json: '0xfffffffffffffffe', text: '-2 ENOENT' });
});

test.each([
  [STRING_BYTES, ''],
  [STRING_BYTES + 1, '…'],
  [STRING_BYTES + 100, '…'],
])('a string of %i bytes', (length, mark) => {
  // The kernel cuts, and puts a NUL.
  const bytes = new TextEncoder().encode('x'.repeat(Math.min(length, STRING_ROOM - 1)));
  const { ret } = decoded('name_of', [], (view, [at]) => putRead(view, at, 0x1000n, bytes.length + 1, bytes));
  const json = 'x'.repeat(STRING_BYTES);
  expect(ret).toEqual({ json, text: `"${json}"${mark}` });
});

test.each([
  ['there', 0x1000n, 0, { json: 7, text: '7' }],
  ['behind NULL', 8n, -14, { json: null, text: 'NULL' }],
  ['gone', 0x1008n, -14, { json: null, text: '0x1008 (not in memory)' }],
])('a field that is %s', (_, address, result, shown) => {
  const { args } = decoded('name_of', ['node.count'], (view, [at]) =>
    putRead(view, at, address, result, Uint8Array.of(result === 0 ? 7 : 0, 0, 0, 0)),
  );
  expect(args).toEqual({ 'node.count': shown });
});

test('bitfields are signed as their types are', () => {
  const { args } = decoded('name_of', ['node.small', 'node.plain', 'node.level'], (view, places) => {
    // small = -1, plain = 7, level = -2
    const bits = [0b111, 0b111 << 3, 0b110 << 6];
    for (const [i, at] of places.slice(0, 3).entries())
      putRead(view, at, 0x1000n, 0, new Uint8Array(Uint16Array.of(bits[i] ?? 0).buffer));
  });
  expect(Object.values(args).map(({ text }) => text)).toEqual(['-1', '7', '-2']);
});
