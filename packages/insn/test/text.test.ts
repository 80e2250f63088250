import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as helpers from '../src/helpers/index.ts';
import {
  add,
  assemble,
  call,
  callSubprog,
  decode,
  exit,
  gotol,
  type Insn,
  InsnError,
  ja,
  jeq,
  jne32,
  label,
  lddw,
  ldFunc,
  ldx,
  mayGoto,
  mov,
  type Program,
  st,
} from '../src/index.ts';
import * as text from '../src/text/index.ts';
import { format, formatInsn, parse, TextError } from '../src/text/index.ts';
import { llvmCases, otherCases } from './text/cases.ts';

test('the exported names', () => {
  expect(Object.keys(text).sort()).toEqual(['TextError', 'format', 'formatInsn', 'parse']);
});

describe('printing', () => {
  test('a program: labels stand out', () => {
    const program: Program = [
      jeq('r1', 0, 'out'),
      [ldx('w', 'r0', 'r1', 4), st('b', 'r10', -1, 255)],
      label('out'),
      exit(),
    ];
    expect(format(program)).toBe(
      '  if r1 == 0 goto out\n  r0 = *(u32 *)(r1 + 4)\n  *(u8 *)(r10 - 1) = 255\nout:\n  exit',
    );
    expect(format([mov('r0', 0), exit()])).toBe('r0 = 0\nexit');
    expect(format([])).toBe('');
  });

  test('what LLVM has no words for', () => {
    expect(otherCases().map((insn) => formatInsn(insn))).toMatchInlineSnapshot(`
      [
        "gotol +2147483647",
        "gotol -2147483648",
        "call pc+5",
        "call pc-5",
        "call "some function"",
        "call "r1"",
        "call kfunc[1234]",
        "call kfunc[1234][2]",
        "r0 = *(u16 *)skb[r6 + 14]",
        "r0 = *(u32 *)skb[r6 - 14]",
        "r0 = *(u8 *)skb[r6 - 2147483648]",
        "r0 = *(u32 *)skb[-4096]",
        "r1 = map_fd[5] ll",
        "r1 = map_fd[counts] ll",
        "r1 = map_fd["counts of \\"all\\" [things]\\n"] ll",
        "r2 = map_value[5][8] ll",
        "r2 = map_value[counts][-8] ll",
        "r3 = map_idx[0] ll",
        "r4 = map_idx_value[1][16] ll",
        "r5 = btf_id[1234] ll",
        "r5 = btf_id[1234][7] ll",
        "r6 = func[+3] ll",
        "r6 = func[-3] ll",
        "r6 = func[callback] ll",
        "r1 = addr_space_cast(r2, 32767, 65535)",
        "if r1 == 0 goto "some place"",
        "if w1 & w2 goto pc",
        "goto .L1",
        "goto "w10"",
        "may_goto s",
        "exit:",
        """:",
        ""7":",
        ""größe":",
        ".raw 0xff, 15, 11, -1, -2147483648",
        ".raw 0x00, 0, 0, 0, 0",
        ".raw 0x18, 0, 0, 0, 1",
      ]
    `);
  });

  test('helpers by name, on request', () => {
    expect(formatInsn(call(5))).toBe('call 5');
    expect(formatInsn(call(5), { helpers })).toBe('call bpf_ktime_get_ns');
    expect(format([call(1), call(100_000)], { helpers })).toBe('call bpf_map_lookup_elem\ncall 100000');
  });

  test('labels in place of numbers, on request', () => {
    const program = [
      jne32('r1', 0, 3),
      lddw('r1', 1),
      callSubprog(4),
      ldFunc('r2', 2),
      ja(-7),
      exit(),
      mayGoto(-3),
      gotol(0),
    ];
    expect(format(program, { labels: true })).toMatchInlineSnapshot(`
      "L0:
        if w1 != 0 goto L4
        r1 = 0x1 ll
        call func8
      L4:
        r2 = func[func7] ll
      L6:
        goto L0
      func7:
        exit
      func8:
        may_goto L6
        gotol L10
      L10:"
    `);
    expect(assemble(parse(format(program, { labels: true })))).toEqual(assemble(program));
    expect(assemble(parse(format(program)))).toEqual(assemble(program));
  });

  test('labels that are there are used, and not taken twice', () => {
    const program = [label('L3'), ja(1), label('here'), ja(-1), ja(0), exit()];
    expect(format(program, { labels: true })).toBe('L3:\n  goto L2\nhere:\n  goto here\nL2:\n  goto L3_\nL3_:\n  exit');
  });

  test('numbers that lead nowhere stay numbers', () => {
    const program = [ja(1), lddw('r1', 1), ja(7), ja(-9), ja(0)];
    expect(format(program, { labels: true })).toBe('  goto +1\n  r1 = 0x1 ll\n  goto +7\n  goto -9\n  goto L6\nL6:');
  });
});

describe('what is printed is read back', () => {
  test.each([...otherCases(), ...llvmCases()].map((insn) => [formatInsn(insn), insn] as const))(
    '%s',
    (printed, insn) => {
      expect(parse(printed)).toEqual([insn]);
      expect(parse(formatInsn(insn, { helpers }), { helpers })).toEqual([insn]);
    },
  );

  const slot = fc
    .record({
      opcode: fc.nat(0xff),
      registers: fc.oneof(fc.nat(0xff), fc.constantFrom(0, 0x10, 0x21)),
      off: fc.oneof(fc.constantFrom(0, 1, 8, 16, 32), fc.integer({ min: -0x8000, max: 0x7fff })),
      imm: fc.oneof(fc.constantFrom(0, 1, 16, 32, 64, 0x40, 0xe1, 0xf1, 0x100, 0x110), fc.integer()),
    })
    .map(
      ({ opcode, registers, off, imm }): Insn => ({
        kind: 'raw',
        opcode,
        dst: registers & 15,
        src: registers >> 4,
        off,
        imm,
      }),
    );

  test('whatever bytes are decoded', () => {
    fc.assert(
      fc.property(fc.array(slot, { maxLength: 8 }), (slots) => {
        const bytes = assemble(slots);
        const insns = decode(bytes);
        const read = parse(format(insns));
        expect(assemble(read)).toEqual(bytes);
        expect(read.map(asRaw)).toEqual(insns.map(asRaw));
        expect(assemble(parse(format(insns, { labels: true, helpers }), { helpers }))).toEqual(bytes);
      }),
      { numRuns: 5000 },
    );
  });

  /** A store of more bits than there is room for is printed as what it is, and read as raw. */
  function asRaw(insn: Insn): unknown {
    return insn.kind === 'st' || insn.kind === 'raw' ? assemble([insn]) : insn;
  }

  test('whatever labels and maps are called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const program: Insn[] = [
          label(name),
          jeq('r1', 0, name),
          callSubprog(name),
          ldFunc('r1', name),
          { kind: 'lddw', dst: 'r1', source: 'map_value', map: name, off: 0 },
        ];
        expect(parse(format(program))).toEqual(program);
        expect(parse(format(program, { helpers }), { helpers })).toEqual(program);
      }),
      {
        numRuns: 2000,
        examples: [['pc'], ['s'], ['kfunc'], ['bpf_map_lookup_elem'], ['toString'], ['r10'], ['w1'], ['.raw']],
      },
    );
  });

  test('programs of builders, with labels', () => {
    const names = ['a', 'b', 'c d'];
    const body = fc.array(
      fc.constantFrom(...llvmCases(), ...names.flatMap((n) => [ja(n), jeq('r1', 7, n), callSubprog(n)])),
    );
    fc.assert(
      fc.property(body, fc.array(fc.nat(), { minLength: 3, maxLength: 3 }), (insns, places) => {
        const program = [...insns];
        names.forEach((name, i) => {
          program.splice((places[i] ?? 0) % (program.length + 1), 0, label(name));
        });
        expect(parse(format(program))).toEqual(program);
        expect(assemble(parse(format(program, { labels: true })))).toEqual(assemble(program));
      }),
    );
  });
});

describe('reading', () => {
  const same = (...writings: string[]): void => {
    const [first = '', ...others] = writings.map((writing) => parse(writing));
    for (const other of others) expect(other).toEqual(first);
  };

  test('what the verifier writes otherwise', () => {
    same('goto +3', 'goto pc+3', 'goto pc + 3');
    same('if r1 s> 5 goto -3', 'if r1 s> 0x5 goto pc-3');
    same('r0 = *(u32 *)(r1 + 4)', 'r0 = *(u32 *)(r1 +4)');
    same('r0 = *(u8 *)skb[r6 - 2]', 'r0 = *(u8 *)skb[r6 + -2]');
    same('w2 = atomic_fetch_add((u32 *)(r1 + 0), w2)', 'r2 = atomic_fetch_add((u32 *)(r1 +0), r2)');
    same('r2 = atomic_fetch_xor((u64 *)(r1 + 0), r2)', 'r2 = atomic64_fetch_xor((u64 *)(r1 +0), r2)');
    same('r2 = xchg_64(r1 - 8, r2)', 'r2 = atomic64_xchg((u64 *)(r1 -8), r2)');
    same('w2 = xchg32_32(r1 - 8, w2)', 'r2 = atomic_xchg((u32 *)(r1 -8), r2)');
    same('r0 = cmpxchg_64(r1 - 8, r0, r2)', 'r0 = atomic64_cmpxchg((u64 *)(r1 -8), r0, r2)');
    same('w0 = cmpxchg32_32(r1 - 8, w0, w2)', 'r0 = atomic_cmpxchg((u32 *)(r1 -8), r0, r2)');
    same('w0 = load_acquire((u8 *)(r1 + 0))', 'r0 = load_acquire((u8 *)(r1 +0))');
    same('lock *(u32 *)(r1 + 0) += w2', 'lock *(u32 *)(r1 +0) += r2');
    expect(parse('call bpf_ktime_get_ns#5', { helpers })).toEqual([call(5)]);
  });

  test('what LLVM writes otherwise', () => {
    same('r1 = *(u16 *)(r2 + 0)', 'w1 = *(u16 *)(r2 + 0)', 'w1=*(u16*)(r2+0x0)', 'r1 = *(u16 *)(r2)');
    same('*(u32 *)(r2 + 0) = r1', '*(u32 *)(r2 + 0x0) = w1');
    same('r1 = 0xffffffffffffffff ll', 'r1 = -1 ll', 'r1 = 18446744073709551615 ll');
    same('w1 = -1', 'w1 = 0xffffffff', 'w1 = 4294967295');
    same('if w1 < -1 goto x', 'if w1 < 0XFFFFFFFF goto x');
  });

  test('comments, separators, line ends', () => {
    const program = [mov('r0', 1), label('out'), add('r0', 2), exit()];
    expect(parse('r0 = 1 // one\nout: r0 += 2 # two\n\n ; nothing\n\texit ; R0=3')).toEqual(program);
    expect(parse('r0 = 1;out:\r\n  r0 += 2; exit;\r\n')).toEqual(program);
    expect(parse('; exit')).toEqual([]);
    expect(parse('')).toEqual([]);
  });

  test('where an instruction is from, when the text has a name', () => {
    const program = parse('out: exit\n\n // comment\n  r0 = 1; goto out\n', { file: 'a.s' });
    expect(program.map(({ at }) => at)).toEqual([
      { file: 'a.s', line: 1, column: 1 },
      { file: 'a.s', line: 1, column: 6 },
      { file: 'a.s', line: 4, column: 3 },
      { file: 'a.s', line: 4, column: 11 },
    ]);
  });

  test('names: a helper, or else a label; in quotes always a label', () => {
    expect(parse('call bpf_ktime_get_ns')).toEqual([callSubprog('bpf_ktime_get_ns')]);
    expect(parse('call bpf_ktime_get_ns', { helpers })).toEqual([call(5)]);
    expect(parse('call "bpf_ktime_get_ns"', { helpers })).toEqual([callSubprog('bpf_ktime_get_ns')]);
    expect(parse('call my_function', { helpers })).toEqual([callSubprog('my_function')]);
  });
});

test.each([
  ['r0 = 0\n\n  r1 = *(u33 *)(r2 + 0)', 3, 10, 'expected a type: u8, u16, u32 or u64, or s8, s16 or s32 in a load'],
  ['r1', 1, 3, 'expected an operator: += -= *= /= s/= |= &= <<= >>= %= s%= ^= = s>>='],
  ['r1 += ', 1, 7, 'expected a register or a number'],
  ['r1 += w2', 1, 7, 'expected a 64-bit register, as r1'],
  ['w1 = r2', 1, 6, 'expected a 32-bit register, as w1'],
  ['r1 = r11', 1, 6, "'r11' is no operation"],
  ['r1 = -r2', 1, 7, 'expected r1'],
  ['r1 = xchg_32(r1 + 0, r1)', 1, 6, "'xchg_32' is no operation"],
  ['w1 = (s32)w2', 1, 7, 'expected s8 or s16'],
  ['r1 = be16 r2', 1, 11, 'expected r1'],
  ['w1 = be16 w1', 1, 1, 'expected a 64-bit register, as r1'],
  ['w1 = *(u64 *)(r2 + 0)', 1, 1, 'expected a 64-bit register, as r1'],
  ['w1 = *(s8 *)(r2 + 0)', 1, 1, 'expected a 64-bit register, as r1'],
  ['r1 = *(s64 *)(r2 + 0)', 1, 8, 'expected a type: u8, u16, u32 or u64, or s8, s16 or s32 in a load'],
  ['r1 = *(u8 *)skb[1]', 1, 1, 'expected r0 = *(u8, u16 or u32 *)skb[…]'],
  ['r0 = *(u64 *)skb[1]', 1, 8, 'expected r0 = *(u8, u16 or u32 *)skb[…]'],
  ['*(u64 *)(r1 + 0) = w1', 1, 20, 'expected a 64-bit register, as r1'],
  ['*(u64 *)(r1 + 0) += r1', 1, 18, "expected '='"],
  ['lock *(u8 *)(r1 + 0) += r1', 1, 8, 'expected u32 or u64'],
  ['lock *(u64 *)(r1 + 0) -= r1', 1, 23, 'expected one of += |= &= ^='],
  ['r1 = cmpxchg_64(r1 + 0, r0, r2)', 1, 1, 'expected r0 or w0'],
  ['r1 = atomic_fetch_add((u64 *)(r1 + 0), r2)', 1, 40, 'expected r1'],
  ['if r1 = 0 goto x', 1, 7, 'expected a comparison: == > >= & != s> s>= < <= s< s<='],
  ['if r1 == 0 call x', 1, 12, "expected 'goto'"],
  ['goto 1', 1, 6, 'expected a label, or a number of slots as +3'],
  ['goto r1', 1, 6, 'expected a label, or a number of slots as +3'],
  ['call +5', 1, 6, 'expected a helper, a label, kfunc[id] or pc+n'],
  ['r1: exit', 1, 1, 'a label named like a register is written in quotes'],
  ['7: exit', 1, 1, 'expected an instruction or a label'],
  ['bpf_ktime_get_ns:', 1, 1, 'a label named like a helper is written in quotes'],
  ['mov r0, 1', 1, 1, "'mov' is no instruction"],
  ['exit exit', 1, 6, 'expected the end of the instruction'],
  ['r0 = 010', 1, 6, 'expected a number as 10 or 0xa'],
  ['r0 = 12ab', 1, 6, 'expected a number as 10 or 0xa'],
  ['r0 = 0x', 1, 6, 'expected a number as 10 or 0xa'],
  ['r0 = @', 1, 6, 'unexpected character'],
  ['r0 = ü', 1, 6, 'unexpected character'],
  ['goto "x', 1, 6, 'a quoted name is written as in JSON'],
  ['goto "\\x"', 1, 6, 'a quoted name is written as in JSON'],
  ['.raw 1, 2, 3, 4', 1, 16, "expected ','"],
])('%j is told with its place', (source, line, column, message) => {
  const error = failure(source);
  expect(error).toMatchObject({ name: 'InsnError', code: 'SYNTAX', line, column });
  expect(error.message.split('\n')[0]).toBe(`line ${line}, column ${column}: ${message}`);
});

test.each([
  ['r0 = 2147483648', 'IMMEDIATE_RANGE', 6],
  ['r0 += -2147483649', 'IMMEDIATE_RANGE', 7],
  ['w0 = 4294967296', 'IMMEDIATE_RANGE', 6],
  ['if r0 == 0xffffffff goto +1', 'IMMEDIATE_RANGE', 10],
  ['r0 = 18446744073709551616 ll', 'IMMEDIATE_RANGE', 6],
  ['r0 = -9223372036854775809 ll', 'IMMEDIATE_RANGE', 6],
  ['*(u8 *)(r1 + 0) = 256', 'IMMEDIATE_RANGE', 19],
  ['*(u64 *)(r1 + 0) = 4294967295', 'IMMEDIATE_RANGE', 20],
  ['call 2147483648', 'IMMEDIATE_RANGE', 6],
  ['.raw 0x100, 0, 0, 0, 0', 'IMMEDIATE_RANGE', 6],
  ['r0 = *(u8 *)(r1 + 32768)', 'OFFSET_RANGE', 19],
  ['r0 = *(u8 *)(r1 - 32769)', 'OFFSET_RANGE', 17],
  ['goto +32768', 'JUMP_RANGE', 6],
  ['gotol -2147483649', 'JUMP_RANGE', 7],
  ['a:\n b: a:', 'LABEL_DUPLICATE', 5],
])('%j is out of range', (source, code, column) => {
  expect(failure(source)).toMatchObject({ code, column });
});

test('any text is read or told with its place, and what is read is printed the same', () => {
  const written = [...llvmCases(), ...otherCases()].map((insn) => formatInsn(insn));
  const pieces = written.flatMap((line) => line.split(/(?<=\W)|(?=\W)/));
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.constantFrom(' ', '\n', ';', '//', '"'), fc.string());
  // A real instruction with one piece of it exchanged, and pieces in any order.
  const changed = fc.tuple(fc.constantFrom(...written), fc.nat(), piece).map(([line, at, other]) => {
    const parts = line.split(/(?<=\W)|(?=\W)/);
    parts[at % parts.length] = other;
    return parts.join('');
  });
  fc.assert(
    fc.property(
      fc.oneof(
        changed,
        fc.array(piece).map((parts) => parts.join('')),
      ),
      (source) => {
        let program: Insn[];
        try {
          program = parse(source, { helpers });
        } catch (error) {
          if (error instanceof TextError) return;
          throw error;
        }
        expect(parse(format(program, { helpers }), { helpers })).toEqual(program);
        for (const insn of decode(assemble(program.filter(stands)))) expect(insn.kind === 'raw').toBe(false);
      },
    ),
    { numRuns: 20_000 },
  );

  /** Without a label or a map elsewhere, and not written as raw. */
  function stands(insn: Insn): boolean {
    const named = 'target' in insn ? typeof insn.target === 'string' : 'map' in insn && typeof insn.map === 'string';
    return !named && insn.kind !== 'raw';
  }
});

test('the line is shown, with a caret under the place', () => {
  expect(failure('r0 = 0\n\tr1 = *(u33 *)(r2 + 0) // \u001b[1m\nexit').message).toBe(
    'line 2, column 9: expected a type: u8, u16, u32 or u64, or s8, s16 or s32 in a load\n' +
      '   r1 = *(u33 *)(r2 + 0) //  [1m\n' +
      '          ^',
  );
  expect(failure(`${'a: '.repeat(1)}${' '.repeat(1000)}?${' '.repeat(1000)}`).message.length).toBeLessThan(200);
});

function failure(source: string): TextError {
  try {
    parse(source, { helpers });
  } catch (error) {
    expect(error).toBeInstanceOf(InsnError);
    if (error instanceof TextError) return error;
  }
  throw new Error(`nothing was found wrong with ${source}`);
}
