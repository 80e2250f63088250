import { exit, jeq, label, lddw, mov } from '@bpf/insn';
import { SysError } from '@bpf/sys';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VerifierError } from '../src/index.ts';
import { hintFor } from '../src/verifier/hints.ts';
import { parseVerifierLog, readRefusal } from '../src/verifier/log.ts';

const STATISTICS = 'processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0\n';

test('the steps of a log of Linux 6.12', () => {
  const log = `func#0 @0
func#1 @5
0: R1=ctx() R10=fp0
; const seq = ldx('dw', 'r6', 'r1', 0); @ ps.ts:12
0: (79) r6 = *(u64 *)(r1 +0)          ; R1=ctx() R6_w=ptr_seq_file(off=8,imm=0)
1: (7b) *(u64 *)(r10 -8) = r6         ; R6_w=scalar(smin=0,smax=umax=0xffff,var_off=(0x0; 0xffff)) R10=fp0 fp-8_w=scalar(id=1)
2: (55) if r0 != 0x0 goto pc-1 2: R0=0 R10=fp0
3: (85) call pc+1
caller:
 R6_w=scalar() R10=fp0 fp-8_w=mmmmmmmm refs=2
callee:
 frame1: R1=ctx() R10=fp0
5: frame1: R1=ctx() R10=fp0
5: (b7) r0 = 0                        ; frame1: R0_w=0
6: (95) exit
returning from callee:
 frame1: R0_w=0 R1=ctx() R10=fp0
to caller at 4:
 R0_w=0 R6_w=scalar() R10=fp0 refs=2

from 6 to 4: R0_w=0 R6_w=scalar() R10=fp0 refs=2
4: (bf) r0 = r2
R2 !read_ok
${STATISTICS}`;
  expect(parseVerifierLog(log)).toEqual([
    {
      slot: 0,
      text: 'r6 = *(u64 *)(r1 +0)',
      frame: 0,
      before: { r1: 'ctx()', r10: 'fp0' },
      after: { r1: 'ctx()', r6: 'ptr_seq_file(off=8,imm=0)' },
    },
    {
      slot: 1,
      text: '*(u64 *)(r10 -8) = r6',
      frame: 0,
      before: {},
      after: {
        r6: 'scalar(smin=0,smax=umax=0xffff,var_off=(0x0; 0xffff))',
        r10: 'fp0',
        'fp-8': 'scalar(id=1)',
      },
    },
    { slot: 2, text: 'if r0 != 0x0 goto pc-1', frame: 0, before: {}, after: {} },
    { slot: 3, text: 'call pc+1', frame: 0, before: { r0: '0', r10: 'fp0' }, after: {} },
    { slot: 5, text: 'r0 = 0', frame: 1, before: { r1: 'ctx()', r10: 'fp0' }, after: { r0: '0' } },
    { slot: 6, text: 'exit', frame: 1, before: {}, after: {} },
    { slot: 4, text: 'r0 = r2', frame: 0, before: { r0: '0', r6: 'scalar()', r10: 'fp0', refs: '2' }, after: {} },
  ]);
  expect(readRefusal(log)).toEqual({ reason: 'R2 !read_ok', slot: 4, text: 'r0 = r2' });
});

test('the steps of a log of Linux 5.10', () => {
  const log = `5: (85) call bpf_map_lookup_elem#1
6: (15) if r0 == 0x0 goto pc+2
 R0_w=map_value(id=0,off=0,ks=4,vs=8,imm=0) R10=fp0 fp-8=mmmm????
7: (0f) r0 += r6
last_idx 7 first_idx 6
regs=40 stack=0 before 6: (15) if r0 == 0x0 goto pc+2
 R0_rw=map_value_or_null(id=2,off=0,ks=4,vs=8,imm=0) R6_rw=invP(id=1) R10=fp0 fp-8=mmmm????
parent didn't have regs=40 stack=0 marks
math between map_value pointer and register with unbounded min value is not allowed
${STATISTICS}`;
  const [, second, third] = parseVerifierLog(log);
  expect(second?.after).toEqual({
    r0: 'map_value(id=0,off=0,ks=4,vs=8,imm=0)',
    r10: 'fp0',
    'fp-8': 'mmmm????',
  });
  expect(third).toEqual({ slot: 7, text: 'r0 += r6', frame: 0, before: {}, after: {} });
  expect(readRefusal(log)).toEqual({
    reason: 'math between map_value pointer and register with unbounded min value is not allowed',
    slot: 7,
    text: 'r0 += r6',
  });
});

test.each<[name: string, log: string, refusal: ReturnType<typeof readRefusal>]>([
  [
    'before any instruction is followed',
    `unreachable insn 1\n${STATISTICS}`,
    { reason: 'unreachable insn 1', slot: 1, text: undefined },
  ],
  [
    'in the line of the instruction',
    `1: (55) if r0 != 0x0 goto pc-1 infinite loop detected at insn 1\n${STATISTICS}`,
    { reason: 'infinite loop detected at insn 1', slot: 1, text: 'if r0 != 0x0 goto pc-1' },
  ],
  [
    'without a newline',
    `3: (85) call bpf_tail_call#12\nexpected prog array map for tail call${STATISTICS}`,
    { reason: 'expected prog array map for tail call', slot: 3, text: 'call bpf_tail_call#12' },
  ],
  [
    'in several lines',
    `6: (95) exit\nUnreleased reference id=2 alloc_insn=4\nBPF_EXIT would lead to reference leak\n${STATISTICS}`,
    {
      reason: 'Unreleased reference id=2 alloc_insn=4; BPF_EXIT would lead to reference leak',
      slot: 6,
      text: 'exit',
    },
  ],
  [
    'with the states that were compared',
    `infinite loop detected at insn 1\ncur state: R0=scalar(umin=1) R10=fp0\nold state: R0=P R10=fp0\n${STATISTICS}`,
    { reason: 'infinite loop detected at insn 1', slot: 1, text: undefined },
  ],
  [
    'not at all, in a log that was cut',
    '0: (b7) r0 = 0   ; R0=0\n1: (95) ex',
    { reason: 'the log ends before the reason', slot: undefined, text: undefined },
  ],
  ['not at all', '', { reason: 'no reason given', slot: undefined, text: undefined }],
])('why a program is refused, said %s', (_, log, refusal) => {
  expect(readRefusal(log)).toEqual(refusal);
});

/** An error as `loadProgram` makes it. */
function errorOf(instructions: ConstructorParameters<typeof VerifierError>[0]['instructions'], log: string) {
  const spec = { name: 'oops', type: 'socket_filter', instructions } as const;
  return new VerifierError(spec, new SysError({ code: 'EACCES', errno: 13, syscall: 'bpf', log }));
}

test("the verifier's refusal is told in two lines", () => {
  const log = `0: R1=ctx() R10=fp0\n0: (bf) r0 = r2\nR2 !read_ok\n${STATISTICS}`;
  const error = errorOf([mov('r0', 'r2'), exit()], log);
  expect(error.message).toBe(
    "program 'oops' was refused at slot 0: r0 = r2\n" +
      'R2 !read_ok: r2 was not written on the way here; write it first',
  );
  expect(error).toMatchObject({ code: 'VERIFIER', log, slot: 0, insn: mov('r0', 'r2'), cause: { code: 'EACCES' } });
  expect(error.source).toBeUndefined();
  expect(error.steps).toHaveLength(1);
  expect(error.steps).toBe(error.steps);
});

test('the place is that of the call that built the instruction', () => {
  const log = `3: (bf) r0 = r2\nR2 !read_ok\n${STATISTICS}`;
  const at = { file: `${process.cwd()}/src/ps.ts`, line: 13, column: 24 };
  const program = [lddw('r6', 1), [label('a'), mov('r1', 0)], { ...mov('r0', 'r2'), at }, exit()];
  const error = errorOf(program, log);
  expect(error.message).toMatch(/^program 'oops' was refused at src\/ps\.ts:13:24: r0 = r2\n/);
  expect(error.source).toEqual(at);
  expect(errorOf([{ ...mov('r0', 'r2'), at: { ...at, file: '/else/ps.ts' } }], log.replace('3', '0')).message).toMatch(
    /^program 'oops' was refused at \/else\/ps\.ts:13:24: r0 = r2\n/,
  );
});

test('a refusal of no instruction, for a reason that is not known', () => {
  const error = errorOf([mov('r0', 0), exit()], `something new\n${STATISTICS}`);
  expect(error.message).toBe("program 'oops' was refused\nsomething new");
  expect(error).toMatchObject({ slot: undefined, insn: undefined, hint: undefined, source: undefined });
  // What the program does not have is in the kernel's words.
  expect(errorOf([exit()], '9: (bf) r0 = r2\nR2 !read_ok\n').message).toMatch(
    /refused at slot 9: r0 = r2\nR2 !read_ok/,
  );
});

test('a jump that the kernel puts down to where it leads is found', () => {
  const program = [mov('r0', 0), jeq('r1', 0, 1), lddw('r2', 1), exit()];
  expect(errorOf(program, `jump into the middle of ldimm64 insn 2\n${STATISTICS}`).slot).toBe(1);
  const good = [mov('r0', 0), jeq('r1', 0, 2), lddw('r2', 1), exit()];
  expect(errorOf(good, `jump into the middle of ldimm64 insn 2\n${STATISTICS}`).slot).toBe(2);
});

test.each([
  ['BPF program is too large. Processed 1000001 insn', /more paths and turns of loops/],
  ['R0 leaks addr as return value', /CAP_PERFMON/],
  ['R1 pointer arithmetic prohibited', /CAP_PERFMON/],
  ['helper call might sleep in a non-sleepable prog', /may sleep/],
  ['bpf_spin_lock is missing unlock', /bpf_spin_unlock/],
  ['Possibly NULL pointer passed to trusted arg0', /^r1 may be null; /],
  ['At program exit the register R0 has value (0x4; 0x0) should have been in (0x0; 0x3)', /return from 0 to 3; /],
  ['At program exit the register R0 has smin=1 smax=1 should have been in [0, 0]', /return 0; /],
  ['invalid indirect read from stack R2 off -8+0 size 8', /not all of these bytes of the stack were written/],
  [
    'invalid stack type R3 off=-8 access_size=16',
    /there are 8 bytes from r10-8 to the end of the stack, and this takes 16/,
  ],
  ['kernel subsystem misconfigured verifier', /^$/],
])('a hint for: %s', (reason, hint) => {
  expect(hintFor(reason, { type: 'kprobe', insn: undefined, afterCall: false }) ?? '').toMatch(hint);
});

test('no text makes it throw', () => {
  const word = fc.constantFrom(
    ...[
      '0: (bf) r0 = r2',
      ' ; R0=',
      'R1=ctx(',
      ')',
      'fp-8=',
      'frame1:',
      ' ',
      '\n',
      'from 1 to 2: ',
      'caller:\n',
      'refs=',
    ],
    ...[
      'callee:\n',
      '99999999999999999999: (',
      '7: BUG_',
      'goto pc+1 ',
      'insn 77',
      'insn 99999999999',
      ';',
      '\0',
      '_w=',
    ],
    ...['R2 !read_ok', 'unknown opcode zz', 'fd 3 is not pointing to valid bpf_map', '=', 'off=-8 size=9', '(0x; 0x)'],
    ...['register R0 has x should have been in (0x1; 0x2)', 'call to invalid destination', 'alloc_insn='],
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(fc.oneof(word, fc.string()), { maxLength: 30 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (log) => {
      const error = errorOf([mov('r0', 'r2'), exit()], log);
      for (const { slot, text } of error.steps) expect([typeof slot, typeof text]).toEqual(['number', 'string']);
      expect(error.message.split('\n').length).toBeLessThanOrEqual(log.includes('\n') ? 5 : 2);
    }),
    { numRuns: 2000 },
  );
});

test('16 MB are read in a second, whatever they hold', () => {
  const step = (i: number) =>
    `; x = add(x, 1); @ ps.ts:${i}\n${i}: (07) r1 += 1   ; R1_w=scalar(smin=0,smax=umax=0xff,var_off=(0x0; 0xff)) fp-8=mmmm\n`;
  const steps = Array.from({ length: 130_000 }, (_, i) => step(i)).join('');
  const others = [
    '0: (07) r1 += 1 goto pc+1 ; R1=(',
    'R1=scalar( ',
    'R1=1 ',
    '\n',
    '1: ',
    ' R1=ctx() R2=fp0\n',
    'odd\n',
  ];
  for (const log of [steps, ...others.map((text) => text.repeat(16e6 / text.length))]) {
    expect(log.length).toBeGreaterThan(15e6);
    const start = performance.now();
    const error = errorOf([mov('r0', 'r2'), exit()], `${log}\nR2 !read_ok\n${STATISTICS}`);
    expect(error.reason.endsWith('R2 !read_ok')).toBe(true);
    expect(error.steps.length).toBe(log === steps ? 130_000 : log.startsWith('0: ') ? 1 : 0);
    // The machine may be busy.
    expect(performance.now() - start).toBeLessThan(3000);
  }
});
