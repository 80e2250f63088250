import assert from 'node:assert/strict';
import { kernelBtf } from '@bpf/programs';
import { progLoad, type SysError } from '@bpf/sys';
import { iterator, progLoading } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { check, type FindingCode } from '../src/check/index.ts';
import {
  type AluBuilder,
  add,
  add32,
  and,
  arsh,
  assemble,
  atomicAdd,
  call,
  callSubprog,
  div,
  exit,
  type Insn,
  type JumpBuilder,
  ja,
  jeq,
  jeq32,
  jgt,
  jlt,
  jne,
  jset,
  jsgt,
  label,
  lddw,
  ldx,
  lsh32,
  mod32,
  mov,
  mov32,
  mul,
  neg,
  type Program,
  type Register,
  rsh,
  type Size,
  st,
  stx,
  sub,
  type WritableRegister,
  xor,
} from '../src/index.ts';
import { refusal } from './run.ts';

const GET_PRANDOM_U32 = 7;
const SKB_LOAD_BYTES = 26;
const ok: Program = [mov('r0', 0), exit()];
/** An instruction that types do not let be built. */
const writeR10: Insn = { kind: 'alu', op: 'mov', bits: 64, dst: 'r10', src: 0 };

/** A program for each finding, and what the verifier says of it. */
const refused: [FindingCode, RegExp, Program, string?][] = [
  ['FALLS_OFF_END', /last insn is not an exit or jmp/, [mov('r0', 0)]],
  ['FALLS_OFF_END', /last insn is not an exit or jmp/, [mov('r0', 0), jeq('r0', 0, -1)], 'in a conditional jump'],
  ['FALLS_OFF_END', /last insn is not an exit or jmp/, [callSubprog('f'), label('f'), ok], 'into a function'],
  ['UNREACHABLE', /unreachable insn 1/, [ja('out'), mov('r0', 1), label('out'), ok]],
  ['UNREACHABLE', /unreachable insn 2/, [ok, mov('r0', 1), exit()], 'behind the exit'],
  ['JUMP_OUTSIDE', /jump out of range from insn 0 to 9/, [jeq('r1', 0, 8), ok]],
  ['JUMP_OUTSIDE', /jump out of range from insn 0 to -2/, [jeq('r1', 0, -3), ok], 'before the start'],
  ['JUMP_OUTSIDE', /call to invalid destination|jump out of range/, [callSubprog(8), ok], 'by a call'],
  [
    'JUMP_OUTSIDE',
    /jump out of range/,
    [callSubprog('f'), jeq('r0', 0, 'f'), exit(), label('f'), ok],
    'into a function',
  ],
  ['JUMP_INTO_WIDE', /jump into the middle|invalid BPF_LD_IMM|unknown opcode 00/, [jeq('r1', 0, 1), lddw('r2', 1), ok]],
  ['UNINIT_REGISTER', /R2 !read_ok/, [mov('r0', 'r2'), exit()]],
  ['UNINIT_REGISTER', /R0 !read_ok/, [exit()], 'at the exit'],
  ['UNINIT_REGISTER', /R6 !read_ok/, [callSubprog('f'), exit(), label('f'), mov('r0', 'r6'), exit()], 'in a function'],
  [
    'UNINIT_REGISTER',
    /R8 !read_ok/,
    [call(GET_PRANDOM_U32), jne('r0', 7, 'out'), mov('r0', 'r8'), label('out'), exit()],
    'behind a condition',
  ],
  ['CLOBBERED_REGISTER', /R1 !read_ok/, [call(GET_PRANDOM_U32), mov('r0', 'r1'), exit()]],
  ['READ_ONLY_REGISTER', /frame pointer is read only/, [writeR10, ok]],
  ['STACK_BOUNDS', /invalid (write to )?stack/, [st('dw', 'r10', -520, 0), ok]],
  ['STACK_BOUNDS', /invalid (write to )?stack/, [st('dw', 'r10', 0, 0), ok], 'above'],
  [
    'STACK_BOUNDS',
    /invalid (write to )?stack/,
    [mov('r2', 'r10'), add('r2', -512), st('dw', 'r2', -8, 0), ok],
    'by a copy',
  ],
  ['STACK_ALIGNMENT', /misaligned stack access/, [st('dw', 'r10', -12, 0), ok]],
  [
    'STACK_ALIGNMENT',
    /misaligned stack access/,
    [mov('r2', 'r10'), add('r2', -3), st('h', 'r2', 0, 0), ok],
    'by a copy',
  ],
  ['HELPER_UNKNOWN', /invalid func|unknown func/, [call(212), ok]],
  ['HELPER_UNKNOWN', /cannot use helper|unknown func/, [call(0), ok], 'none'],
  ['DIVISION_BY_ZERO', /div by zero/, [mov('r1', 1), div('r1', 0), ok]],
  ['DIVISION_BY_ZERO', /div by zero/, [mov('r1', 1), mod32('r1', 0), ok], 'by a modulo of 32 bits'],
  ['SHIFT_RANGE', /invalid shift 64/, [mov('r1', 1), rsh('r1', 64), ok]],
  ['SHIFT_RANGE', /invalid shift 32/, [mov('r1', 1), lsh32('r1', 32), ok], 'of 32 bits'],
  ['SHIFT_RANGE', /invalid shift -1/, [mov('r1', 1), arsh('r1', -1), ok], 'negative'],
];

for (const [code, log, program, how] of refused)
  kernelTest(progLoading, `check finds ${code}${how ? ` ${how}` : ''}, and the verifier refuses it`, () => {
    assert.deepEqual(
      check(program).map((found) => found.code),
      [code],
    );
    assert.match(refusal(program), log);
  });

kernelTest(progLoading, 'check finds UNINIT_STACK, which the verifier refuses or has learnt to allow', () => {
  const programs: Program[] = [
    [ldx('dw', 'r0', 'r10', -8), exit()],
    [st('b', 'r10', -8, 0), ldx('w', 'r0', 'r10', -8), exit()],
    [st('b', 'r10', -8, 0), mov('r1', 0), atomicAdd('dw', 'r10', 'r1', -8), ok],
  ];
  for (const program of programs) {
    assert.deepEqual(
      check(program).map((found) => found.code),
      ['UNINIT_STACK'],
    );
    assert.match(refusal(program), /^$|invalid read from stack/);
  }
});

kernelTest(iterator('task'), 'check finds RETURN_RANGE, and the verifier refuses it', () => {
  const program = [mov('r0', 2), exit()];
  assert.deepEqual(
    check(program, { returns: [0, 1] }).map((found) => found.code),
    ['RETURN_RANGE'],
  );
  const target = { type: 'tracing', expectedAttachType: 'trace_iter', license: 'GPL' } as const;
  const attachBtfId = kernelBtf().find('func', 'bpf_iter_task') ?? 0;
  assert.throws(
    () => progLoad({ ...target, attachBtfId, insns: assemble(program) }),
    (error: SysError) => /At program exit the register R0 has/.test(error.log ?? ''),
  );
});

/**
 * Programs that are wrong where the verifier does not look, or that look wrong and are not; and what it says where it is
 * not yet so clever.
 */
const accepted: [string, Program, RegExp?][] = [
  ['a branch not taken', [mov('r1', 0), jne('r1', 0, 'wrong'), ok, label('wrong'), mov('r0', 'r9'), exit()]],
  ['a branch always taken', [mov('r0', 3), jeq('r0', 3, 'out'), call(999), div('r0', 0), label('out'), exit()]],
  [
    'a branch after a branch',
    [
      call(GET_PRANDOM_U32),
      mov('r6', 'r0'),
      jeq('r6', 0, 'out'),
      jne('r0', 0, 'out'),
      mov('r0', 'r9'),
      label('out'),
      mov('r0', 0),
      exit(),
    ],
    /R9 !read_ok/,
  ],
  ...[
    [stx('dw', 'r10', 'r0', -8), ldx('dw', 'r6', 'r10', -8), jne('r6', 0, 'out')],
    [mov('r6', 'r0'), add('r6', 5), jne('r6', 5, 'out')],
    [mov32('r0', 'r0'), mov32('r6', 'r0'), jne('r6', 0, 'out')],
  ].map((learnt, i): [string, Program, RegExp] => [
    `a branch after one on a copy (${i + 1})`,
    [call(GET_PRANDOM_U32), learnt, jeq('r0', 0, 'out'), mov('r0', 'r9'), label('out'), mov('r0', 0), exit()],
    /R9 !read_ok/,
  ]),
  [
    'a function not called',
    [mov('r1', 0), jeq('r1', 0, 'out'), callSubprog('f'), label('out'), ok, label('f'), mov('r0', 'r9'), exit()],
  ],
  ['a function that returns nothing', [callSubprog('f'), ok, label('f'), exit()]],
  [
    'a register written on one path',
    [
      call(GET_PRANDOM_U32),
      mov('r6', 0),
      jgt('r0', 5, 'skip'),
      mov('r6', 1),
      mov('r7', 1),
      label('skip'),
      jeq('r6', 0, 'out'),
      mov('r0', 'r7'),
      label('out'),
      mov('r0', 0),
      exit(),
    ],
  ],
  [
    'a stack that a helper writes',
    [
      mov('r2', 0),
      mov('r3', 'r10'),
      add('r3', -16),
      mov('r4', 16),
      call(SKB_LOAD_BYTES),
      ldx('dw', 'r0', 'r10', -16),
      exit(),
    ],
  ],
  [
    'a stack that a function writes',
    [
      mov('r1', 'r10'),
      add('r1', -8),
      callSubprog('f'),
      ldx('dw', 'r0', 'r10', -8),
      exit(),
      label('f'),
      st('dw', 'r1', 0, 7),
      mov('r0', 0),
      exit(),
    ],
  ],
  [
    'a stack written through what was spilled',
    [
      mov('r1', 'r10'),
      stx('dw', 'r10', 'r1', -8),
      ldx('dw', 'r2', 'r10', -8),
      st('dw', 'r2', -16, 7),
      ldx('dw', 'r0', 'r10', -16),
      exit(),
    ],
  ],
  [
    'a stack written through a computed address',
    [mov('r1', 'r10'), mov('r2', -16), add('r1', 'r2'), st('dw', 'r1', 0, 7), ldx('dw', 'r0', 'r10', -16), exit()],
  ],
  ['a loop', [mov('r0', 0), label('again'), add('r0', 1), jlt('r0', 5, 'again'), exit()]],
  ['a jump back at the end', [ja('start'), label('out'), ok, label('start'), mov('r6', 1), ja('out')]],
];

for (const [name, program, before] of accepted)
  kernelTest(progLoading, `check finds nothing in a program that is accepted: ${name}`, () => {
    assert.deepEqual(check(program), []);
    const log = refusal(program);
    if (log !== '') assert.match(log, before ?? /^$/);
  });

kernelTest(progLoading, 'check finds nothing in random programs that are accepted', () => {
  const readsAnything = refusal([st('dw', 'r10', -16, 0), ldx('dw', 'r0', 'r10', -8), ok]) === '';
  let good = 0;
  let bad = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const program = randomProgram(seed);
    const findings = check(program).filter(({ code }) => code !== 'UNINIT_STACK' || !readsAnything);
    if (findings.length > 0) bad++;
    if (refusal(program) !== '') continue;
    good++;
    assert.deepEqual(findings, [], `seed ${seed}: ${JSON.stringify(program)}`);
  }
  assert.ok(good > 80 && bad > 80, `${good} programs were accepted, and ${bad} had findings`);
});

/** A small program of moves, arithmetic, jumps, stack accesses and calls, with a mistake here and there. */
function randomProgram(seed: number): Program {
  let state = seed;
  const random = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pick = <T>(values: readonly [T, ...T[]]): T => values[random(values.length)] ?? values[0];
  // Mostly r0, r6 and r7, so that most reads are of what was written.
  const register = (): WritableRegister =>
    random(8) > 0 ? pick(['r0', 'r6', 'r7']) : pick(['r1', 'r2', 'r3', 'r4', 'r5', 'r8', 'r9']);
  const constant = (): number => pick([0, 0, 1, 2, 5, -1, 8, 300]);
  const operand = (): Register | number => (random(2) > 0 ? constant() : register());
  const size = (): Size => pick(['b', 'h', 'w', 'dw', 'dw']);
  const offset = (): number => (random(25) > 0 ? -8 * (1 + random(3)) : pick([-512, -520, 0, -4, -3, 8]));
  const later = (i: number): string => `l${i + 1 + random(length - i)}`;
  const length = 4 + random(12);
  const alu: [AluBuilder, ...AluBuilder[]] = [add, sub, mul, and, xor, add32, mov32, mov, mov];
  const jumps: [JumpBuilder, ...JumpBuilder[]] = [jeq, jne, jgt, jsgt, jset, jlt, jeq32];

  const statement = (i: number): Program => {
    switch (random(14)) {
      case 0:
      case 1:
      case 2:
        return [pick(alu)(register(), operand())];
      case 3:
        return [pick([rsh, lsh32, arsh, div, mod32])(register(), pick([1, 3, 7, 31, 31, 0, 32]))];
      case 4:
        return [stx(size(), 'r10', register(), offset())];
      case 5:
        return [st(size(), 'r10', offset(), 1)];
      case 6:
        return [ldx(size(), register(), 'r10', offset())];
      case 7:
        return [mov('r2', 'r10'), add('r2', offset()), random(2) ? st('dw', 'r2', 0, 0) : ldx('dw', 'r0', 'r2', 0)];
      case 8:
        return [random(20) > 0 ? call(pick([5, 7, 8])) : call(pick([0, 212, 999]))];
      case 9:
        return random(6) > 0 ? [] : [ja(later(i))];
      case 10:
        return random(3) > 0 ? [neg(register())] : [callSubprog('f')];
      default:
        return [pick(jumps)(register(), operand(), random(30) > 0 ? later(i) : pick([1, 2, -2, 30]))];
    }
  };
  const body = Array.from({ length }, (_, i) => [label(`l${i}`), statement(i)]);
  const start = [
    mov('r0', constant()),
    mov('r6', constant()),
    random(3) ? mov('r7', 'r0') : call(GET_PRANDOM_U32),
    st('dw', 'r10', -8, 0),
  ];
  const program: Program = [start, body, label(`l${length}`), random(12) ? mov('r0', 0) : [], exit()];
  const calls = JSON.stringify(program).includes('call_subprog');
  const inner = [random(2) ? mov('r0', 'r1') : pick(alu)(register(), operand()), mov('r6', constant()), exit()];
  return calls ? [program, label('f'), inner] : program;
}
