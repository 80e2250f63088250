import {
  assemble,
  callSubprog,
  exit,
  flatten,
  ja,
  jeq,
  jgt,
  jne,
  label,
  lddw,
  ldFunc,
  mov,
  type Program,
  slotCount,
  sub,
} from '@bpf/insn';
import { format } from '@bpf/insn/text';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { block } from '../src/index.ts';

const lines = (program: Program): string[] =>
  format(program)
    .split('\n')
    .map((line) => line.trim());

test('jumps to its own labels become slots, forwards and backwards, over wide instructions and arrays', () => {
  const loop = block([
    mov('r1', 3),
    label('again'),
    [lddw('r0', 1), [mov('r2', 0)]],
    jeq('r1', 1, 'done'),
    sub('r1', 1),
    ja('again'),
    label('done'),
  ]);
  expect(lines(loop)).toEqual(['r1 = 3', ...['r0 = 0x1 ll', 'r2 = 0'], 'if r1 == 1 goto +2', 'r1 -= 1', 'goto -6']);
});

test('it may stand twice in a program', () => {
  const once = block([jne('r1', 0, 'skip'), mov('r0', 1), label('skip')]);
  const program = [mov('r0', 0), once, once, label('skip'), exit()];
  expect(assemble(program)).toEqual(
    assemble([mov('r0', 0), jne('r1', 0, 1), mov('r0', 1), jne('r1', 0, 1), mov('r0', 1), exit()]),
  );
});

test("a caller's labels stay the caller's, whatever their names", () => {
  // As a sequence that takes a target and a body would be written: what it is given stands in arrays.
  const unless = (target: string, body: Program): Program =>
    block([jeq('r1', 0, 'out'), [jgt('r1', 9, target)], body, label('out'), mov('r0', 0)]);
  const body = [jeq('r2', 0, 'out'), mov('r3', 0), label('in'), ja('in')];
  expect(lines(unless('out', body))).toEqual([
    'if r1 == 0 goto +4',
    'if r1 > 9 goto out',
    ...['if r2 == 0 goto out', 'r3 = 0', 'in:', 'goto in'],
    'r0 = 0',
  ]);
  expect(lines(block([jeq('r1', 0, 'elsewhere'), jeq('r1', 0, 5)]))).toEqual([
    'if r1 == 0 goto elsewhere',
    'if r1 == 0 goto +5',
  ]);
});

test('it is what labels are, of any program', () => {
  const names = ['a', 'b', 'c'];
  const jump = fc.constantFrom(...names).map((name) => jeq('r1', 0, name));
  const plain = fc.constantFrom<Program[number]>(mov('r1', 0), lddw('r2', 5), [mov('r1', 0), [lddw('r2', 5)]], []);
  const body = fc.array(fc.oneof(jump, plain), { maxLength: 20 });
  fc.assert(
    fc.property(body, fc.array(fc.nat(20), { minLength: 3, maxLength: 3 }), (body, places) => {
      const program: Program[number][] = [...body];
      for (const [i, name] of names.entries()) program.splice(Math.min(places[i] ?? 0, program.length), 0, label(name));
      const own = block(program);
      expect(assemble([own, exit()])).toEqual(assemble([program, exit()]));
      expect(slotCount(own)).toBe(slotCount(program));
      expect(flatten(own).some(({ kind }) => kind === 'label')).toBe(false);
    }),
  );
});

test('calls of its own functions, and their addresses, are resolved like jumps', () => {
  const program = [callSubprog('sub'), ldFunc('r2', 'sub'), ja('sub'), exit(), label('sub'), mov('r0', 0), exit()];
  expect(assemble(block(program))).toEqual(assemble(program));
  // Not that of the caller.
  expect(assemble([block(program), label('sub'), exit()])).toEqual(assemble([...program, exit()]));
});

test('two labels of one name are refused, and where an instruction came from is kept', () => {
  expect(() => block([label('a'), label('a')])).toThrow(
    expect.objectContaining({ name: 'DslError', code: 'LABEL_DUPLICATE' }),
  );
  const at = { file: 'ps.ts', line: 1, column: 2 };
  expect(block([{ ...ja('a'), at }, label('a')])).toEqual([{ kind: 'goto', op: 'ja', target: 0, at }]);
});
