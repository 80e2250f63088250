import { describe, expect, it } from 'vitest';
import { type CheckOptions, check } from '../src/check/index.ts';
import { helperName } from '../src/helpers/index.ts';
import {
  add,
  assemble,
  atomicCmpxchg,
  call,
  callKfunc,
  callSubprog,
  captureSource,
  decode,
  div32,
  exit,
  gotol,
  gotox,
  type Insn,
  ja,
  jeq,
  jge,
  jlt,
  jne,
  jslt,
  label,
  ldAbs,
  lddw,
  ldFunc,
  ldMapFd,
  ldx,
  lsh,
  lsh32,
  mayGoto,
  mov,
  mov32,
  movsx,
  neg,
  type Program,
  smod,
  st,
  stx,
} from '../src/index.ts';

const ok: Program = [mov('r0', 0), exit()];
const codes = (program: Program, options?: CheckOptions) => check(program, options).map(({ code }) => code);
const raw = (opcode: number): Insn => ({ kind: 'raw', opcode, dst: 0, src: 0, off: 0, imm: 0 });

describe('a finding', () => {
  it('is plain data that names the instruction, the place and the fix', () => {
    const read = mov('r0', 'r2');
    expect(check([read, exit()])).toEqual([
      {
        code: 'UNINIT_REGISTER',
        slot: 0,
        insn: read,
        message: 'slot 0 reads r2, which nothing has written; write it first',
      },
    ]);
  });

  it('names the line of the source', () => {
    const program = captureSource(() => [lddw('r1', 1), mov('r0', 'r2'), exit()]);
    expect(check(program)[0]?.message).toMatch(/^slot 2 \(.*check\.test\.ts:\d+:\d+\) reads r2, /);
  });

  it('comes in the order of the slots, once for what was not written', () => {
    const program = [
      mov('r0', 'r6'),
      add('r0', 'r6'),
      ja('out'),
      neg('r7'),
      label('out'),
      st('dw', 'r10', 8, 0),
      exit(),
    ];
    expect(check(program).map(({ code, slot }) => [code, slot])).toEqual([
      ['UNINIT_REGISTER', 0],
      ['UNREACHABLE', 3],
      ['STACK_BOUNDS', 4],
    ]);
  });

  it('says where stack accesses may go', () => {
    expect(check([st('dw', 'r10', -516, 0), ok])[0]?.message).toBe(
      'slot 0 accesses 8 bytes at r10-516; use an offset from -512 to -8',
    );
    expect(check([st('w', 'r10', -6, 0), ok])[0]?.message).toBe(
      'slot 0 accesses 4 bytes at r10-6, unaligned; use a multiple of 4',
    );
  });
});

describe('control flow', () => {
  it.each<[string, Program]>([
    ['FALLS_OFF_END', [mov('r0', 0)]],
    ['FALLS_OFF_END', [lddw('r0', 0)]],
    ['FALLS_OFF_END', [mov('r0', 0), mayGoto(-2)]],
    ['UNREACHABLE', [ok, ok]],
    ['UNREACHABLE', [gotol('out'), mov('r1', 1), mov('r2', 1), label('out'), ok]],
    ['UNREACHABLE', [ok, label('f'), mov('r0', 1), exit()]],
    ['JUMP_OUTSIDE', [jeq('r1', 0, 2), ok]],
    ['JUMP_OUTSIDE', [jeq('r1', 0, 'end'), ok, label('end')]],
    ['JUMP_OUTSIDE', [ldFunc('r2', 50), ok]],
    ['JUMP_INTO_WIDE', [jeq('r1', 0, 1), lddw('r2', 1), ok]],
  ])('%s', (code, program) => {
    expect(codes(program)).toEqual([code]);
  });

  it('reports each stretch that cannot be reached once', () => {
    const program = [ja('a'), neg('r0'), neg('r0'), label('a'), ja('b'), neg('r0'), label('b'), ok];
    expect(check(program).map(({ slot }) => slot)).toEqual([1, 4]);
  });

  it('leaves errors of labels to assemble', () => {
    expect(() => check([ja('nowhere')])).toThrow("slot 0: 'nowhere' is not a label");
    expect(() => check([label('a'), label('a'), ok])).toThrow("slot 0: 'a' is not a new label, see slot 0");
  });
});

describe('registers', () => {
  it.each<[string, Program]>([
    ['UNINIT_REGISTER', [exit()]],
    ['UNINIT_REGISTER', [movsx('r0', 'r2', 8), exit()]],
    ['UNINIT_REGISTER', [add('r3', 1), ok]],
    ['UNINIT_REGISTER', [jne('r3', 0, 'out'), label('out'), ok]],
    ['UNINIT_REGISTER', [stx('dw', 'r10', 'r3', -8), ok]],
    ['UNINIT_REGISTER', [ldx('dw', 'r0', 'r3', 0), exit()]],
    ['UNINIT_REGISTER', [ldAbs('b', 0), exit()]],
    ['UNINIT_REGISTER', [st('dw', 'r10', -8, 0), atomicCmpxchg('dw', 'r10', 'r1', -8), exit()]],
    ['CLOBBERED_REGISTER', [call(14), mov('r0', 'r1'), exit()]],
    ['CLOBBERED_REGISTER', [mov('r6', 'r1'), ldAbs('b', 0), mov('r0', 'r1'), exit()]],
    ['CLOBBERED_REGISTER', [callSubprog('f'), mov('r0', 'r1'), exit(), label('f'), ok]],
    ['READ_ONLY_REGISTER', [{ kind: 'neg', bits: 64, dst: 'r10' }, ok]],
    ['READ_ONLY_REGISTER', [{ kind: 'ldx', size: 'w', dst: 'r10', src: 'r1', off: 0 }, ok]],
  ])('%s', (code, program) => {
    expect(codes(program)).toEqual([code]);
  });

  it('have been written when some path has', () => {
    expect(codes([jeq('r1', 0, 'out'), mov('r6', 1), label('out'), mov('r0', 'r6'), exit()])).toEqual([]);
  });

  it('are those of each function', () => {
    const inner = (read: 'r5' | 'r6'): Program => [
      mov('r6', 1),
      callSubprog('f'),
      exit(),
      label('f'),
      mov('r0', read),
      exit(),
    ];
    expect(codes(inner('r5'))).toEqual([]);
    expect(codes(inner('r6'))).toEqual(['UNINIT_REGISTER']);
  });
});

describe('branches', () => {
  const wrong = mov('r0', 'r9');
  const guarded = (start: Program, jump: Insn): Program => [start, jump, wrong, label('out'), mov('r0', 0), exit()];

  it.each<[string, Insn[], Insn]>([
    ['a field of the context that is not null', [ldx('dw', 'r6', 'r1', 8)], jeq('r6', 0, 'out')],
    ['a result that is not null', [ldMapFd('r1', 'm'), mov('r2', 'r10'), call(1)], jeq('r0', 0, 'out')],
    ['a number that is 0', [call(14)], jne('r0', 0, 'out')],
    ['a number that is not negative', [call(4)], jslt('r0', 0, 'out')],
    ['may_goto', [], mayGoto('out')],
  ])('are followed where the verifier surely does: %s', (_, start, jump) => {
    expect(codes(guarded(start, jump))).toEqual(['UNINIT_REGISTER']);
  });

  it.each<[string, Insn[], Insn]>([
    ['a constant', [mov('r6', 0)], jeq('r6', 0, 'out')],
    ['a copy of what was compared', [call(14), mov('r6', 'r0'), jne('r0', 0, 'out')], jeq('r6', 0, 'out')],
    ['null, for a pointer', [ldMapFd('r1', 'm'), call(1)], jne('r0', 0, 'out')],
    ['what is always so', [call(14)], jge('r0', 0, 'out')],
    ['the number of the processor', [call(8)], jeq('r0', 0, 'out')],
    ['what a map holds', [ldMapFd('r1', 'm'), ldx('dw', 'r6', 'r1', 0)], jeq('r6', 0, 'out')],
  ])('are not looked at where it may know better: %s', (_, start, jump) => {
    expect(codes(guarded(start, jump))).toEqual([]);
  });

  it('are looked at again where all of them meet', () => {
    expect(codes([mov('r6', 0), jeq('r6', 0, 'out'), wrong, label('out'), mov('r0', 'r8'), exit()])).toEqual([
      'UNINIT_REGISTER',
    ]);
  });

  it('are not sure behind a kernel function, which may not return', () => {
    expect(codes([wrong, callKfunc(1), exit()])).toEqual(['UNINIT_REGISTER']);
    expect(codes([callKfunc(1), wrong, exit()])).toEqual([]);
  });
});

describe('the stack', () => {
  it.each<[string, Program]>([
    ['STACK_BOUNDS', [st('b', 'r10', 0, 0), ok]],
    ['STACK_BOUNDS', [st('b', 'r10', -513, 0), ok]],
    ['STACK_ALIGNMENT', [st('h', 'r10', -3, 0), ok]],
    ['UNINIT_STACK', [ldx('b', 'r0', 'r10', -1), exit()]],
    ['UNINIT_STACK', [st('w', 'r10', -8, 0), ldx('dw', 'r0', 'r10', -8), exit()]],
    ['UNINIT_STACK', [mov('r2', 'r10'), add('r2', -16), ldx('dw', 'r0', 'r2', 8), exit()]],
    [
      'UNINIT_STACK',
      [st('dw', 'r10', -8, 0), callSubprog('f'), exit(), label('f'), ldx('dw', 'r0', 'r10', -8), exit()],
    ],
  ])('%s', (code, program) => {
    expect(codes(program)).toEqual([code]);
  });

  it('may be written by whoever has its address', () => {
    const read = [ldx('dw', 'r0', 'r10', -16), exit()];
    expect(codes([mov('r1', 'r10'), call(16), read])).toEqual([]);
    expect(codes([mov('r1', 'r10'), stx('dw', 'r10', 'r1', -8), read])).toEqual([]);
    expect(codes([mov('r6', 'r10'), add('r6', 'r1'), read])).toEqual([]);
    expect(codes([mov('r6', 'r10'), call(14), read])).toEqual(['UNINIT_STACK']);
  });

  it('may be exceeded by what saves registers around a call', () => {
    const save = [stx('dw', 'r10', 'r1', -520), call(8), ldx('dw', 'r1', 'r10', -520), exit()];
    expect(codes(save)).toEqual([]);
  });
});

describe('single instructions', () => {
  it.each<[string, Program]>([
    ['DIVISION_BY_ZERO', [mov('r0', 1), div32('r0', 0), exit()]],
    ['DIVISION_BY_ZERO', [mov('r0', 1), smod('r0', 0), exit()]],
    ['SHIFT_RANGE', [mov('r0', 1), lsh('r0', 64), exit()]],
    ['SHIFT_RANGE', [mov('r0', 1), lsh32('r0', -1), exit()]],
    ['HELPER_UNKNOWN', [call(0), exit()]],
    ['HELPER_UNKNOWN', [call(212), exit()]],
  ])('%s', (code, program) => {
    expect(codes(program)).toEqual([code]);
  });

  it('call the helpers that there are', () => {
    expect(helperName(211)).toBeDefined();
    expect(helperName(212)).toBeUndefined();
    expect(codes([call(211), exit()])).toEqual([]);
  });
});

describe('the returned value', () => {
  it('is within the range of the type, where it is a constant', () => {
    expect(codes([mov('r0', 2), exit()], { returns: [0, 1] })).toEqual(['RETURN_RANGE']);
    expect(codes([lddw('r0', -1), exit()], { returns: [0, 0] })).toEqual(['RETURN_RANGE']);
    expect(codes([mov('r0', 1), exit()], { returns: [0, 1] })).toEqual([]);
    expect(codes([ldx('w', 'r0', 'r1', 0), exit()], { returns: [0, 0] })).toEqual([]);
    expect(codes([mov32('r0', -1), exit()], { returns: [-4095, 0] })).toEqual([]);
    expect(codes([mov('r0', 2), exit()])).toEqual([]);
  });

  it('is not wanted of those that return nothing', () => {
    expect(codes([exit()], { returns: 'void' })).toEqual([]);
  });
});

describe('nothing is found', () => {
  it.each<[string, Program]>([
    ['in an empty program', []],
    ['in nested arrays', [[[mov('r0', 0)], [[exit()]]]]],
    ['in a loop', [mov('r0', 0), label('l'), add('r0', 1), jlt('r0', 9, 'l'), exit()]],
    ['in a callback', [ldFunc('r2', 'f'), ok, label('f'), mov('r0', 'r1'), exit()]],
    ['with a map by name', [ldMapFd('r1', 'map'), ok]],
    ['behind a jump to anywhere', [gotox('r1'), mov('r0', 'r9'), exit(), ok]],
    ['behind an unknown jump', [raw(0x06), mov('r0', 'r9'), exit(), ok]],
    ['behind an unknown instruction', [raw(0xff & ~7), mov('r0', 'r9'), exit()]],
    ['in a function that calls itself', [callSubprog('f'), exit(), label('f'), callSubprog('f'), exit()]],
    ['at the end, when a kernel function is there', [mov('r0', 0), callKfunc(1)]],
  ])('%s', (_, program) => {
    expect(codes(program)).toEqual([]);
  });

  it('in what was assembled and decoded', () => {
    const program = [call(14), jeq('r0', 0, 'out'), lddw('r0', 1n), label('out'), exit()];
    expect(check(decode(assemble(program)))).toEqual([]);
  });
});
