import { readFileSync } from 'node:fs';
import { parseBtf } from '@bpf/btf';
import { assemble, callSubprog, captureSource, exit, type Insn, ja, label, lddw, ldFunc, mov } from '@bpf/insn';
import { expect, test } from 'vitest';
import { functionsOf } from '../src/functions.ts';
import { makeLineInfo } from '../src/line-info.ts';

const spec = (instructions: readonly Insn[], name = 'main') => ({ name, type: 'socket_filter', instructions }) as const;
const functions = (instructions: readonly Insn[], name?: string) =>
  functionsOf(spec(instructions, name), assemble(instructions));

test('functions are where calls and addresses lead', () => {
  expect(functions([mov('r0', 0), ja('out'), label('out'), exit()])).toEqual([{ slot: 0, name: 'main' }]);
  const program = [
    callSubprog('second'),
    ldFunc('r2', 'third'), // 1
    callSubprog(1), // 3: to slot 5
    exit(),
    mov('r0', 0), // 5
    exit(),
    label('second'),
    callSubprog('second'), // 7
    exit(),
    label('third'),
    exit(), // 9
  ];
  expect(functions(program)).toEqual([
    { slot: 0, name: 'main' },
    { slot: 5, name: 'main_5' },
    { slot: 7, name: 'second' },
    { slot: 9, name: 'third' },
  ]);
});

test.each([
  ['ps', 'ps'],
  ['two words.x', 'two_words_x'],
  ['7up', '_7up'],
  ['', '_'],
  ['größe', 'gr__e'],
  ['x'.repeat(200), 'x'.repeat(100)],
])('the function of program %j is %s', (name, expected) => {
  expect(functions([exit()], name)[0]?.name).toBe(expected);
});

test('there is no line info without sources', () => {
  const program = [mov('r0', 0), exit()];
  expect(makeLineInfo(spec(program), assemble(program))).toBeUndefined();
});

test('what calls back has its functions in any case', () => {
  const program = [ldFunc('r2', 'f'), mov('r0', 0), exit(), label('f'), mov('r0', 0), exit()];
  const sources = program.map((insn) => ({ ...insn, at: { file: 'x', line: 1, column: 1 } }));
  const bytes = assemble(program);
  const [forgetful, unwanted] = [makeLineInfo(spec(program), bytes), makeLineInfo(spec(sources), bytes, false)];
  expect(forgetful?.lineInfo).toHaveLength(0);
  expect(words(forgetful?.funcInfo ?? new Uint8Array(0), 2)).toEqual([
    [0, 3],
    [4, 4],
  ]);
  expect(unwanted).toEqual(forgetful);
  expect(makeLineInfo(spec(sources), bytes)?.lineInfo).toHaveLength(5 * 16);
});

test('each line of source has a record, and each function', () => {
  const program: Insn[] = captureSource(() => [
    lddw('r6', 1),
    ...[1, 2, 3].map((n) => mov('r0', n)), // one place
    callSubprog('f'),
    exit(),
    label('f'),
    exit(),
  ]);
  const lineOf = (text: string) => {
    const lines = readFileSync(import.meta.filename, 'utf8').split('\n');
    return lines.findIndex((line) => line.includes(text)) + 1;
  };
  const first = lineOf("lddw('r6', 1),");
  // The last instruction remembers nothing.
  const { at: _, ...forgetful } = program.at(-1) as Insn;
  const whole = [...program.slice(0, -1), forgetful as Insn];
  const made = makeLineInfo(spec(whole), assemble(whole));
  if (!made) throw new Error('no line info');
  const btf = parseBtf(made.btf);
  const names = [3, 4].map((id) => btf.type(id)).map((type) => [type.kind, type.name]);
  expect(names).toEqual([
    ['func', 'main'],
    ['func', 'f'],
  ]);
  expect(words(made.funcInfo, 2)).toEqual([
    [0, 3],
    [7, 4],
  ]);
  const records = words(made.lineInfo, 4).map(([slot, file = 0, text = 0, place = 0]) => [
    slot,
    stringAt(made.btf, file),
    stringAt(made.btf, text),
    place >>> 10,
    place & 0x3ff,
  ]);
  const { filename } = import.meta;
  expect(records).toEqual([
    [0, filename, "lddw('r6', 1),", first, 5],
    [2, filename, "...[1, 2, 3].map((n) => mov('r0', n)), // one place", first + 1, 29],
    [5, filename, "callSubprog('f'),", first + 2, 5],
    [6, filename, 'exit(),', first + 3, 5],
    [7, '', 'exit', 0, 0],
  ]);
});

function words(bytes: Uint8Array, each: number): number[][] {
  const all = [...new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
  return Array.from({ length: all.length / each }, (_, i) => all.slice(i * each, (i + 1) * each));
}

/** A string of BTF, of which the header says where the strings start, and how many bytes they are. */
function stringAt(btf: Uint8Array, offset: number): string {
  const view = new DataView(btf.buffer, btf.byteOffset);
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  expect(start + view.getUint32(20, true)).toBe(btf.byteLength);
  const bytes = btf.subarray(start + offset);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
