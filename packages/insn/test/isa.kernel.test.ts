import assert from 'node:assert/strict';
import { createMap } from '@bpf/maps';
import { kernelBtf } from '@bpf/programs';
import {
  acquireRelease,
  atomics,
  isaV4,
  kernelVariables,
  kfuncs,
  mapValueAddress,
  mayGotoLoop,
  progLoading,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  type AluBuilder,
  add,
  add32,
  addrSpaceCast,
  and32,
  arsh32,
  assemble,
  atomicAdd,
  atomicAnd,
  atomicCmpxchg,
  atomicFetchAdd,
  atomicFetchAnd,
  atomicFetchOr,
  atomicFetchXor,
  atomicOr,
  atomicXchg,
  atomicXor,
  be,
  bswap,
  callKfunc,
  callSubprog,
  decode,
  div32,
  exit,
  gotol,
  gotox,
  type JumpBuilder,
  ja,
  jeq32,
  jge32,
  jgt32,
  jle32,
  jlt32,
  jne32,
  jset32,
  jsge32,
  jsgt32,
  jsle32,
  jslt32,
  label,
  ldAbs,
  ldBtfId,
  lddw,
  ldFunc,
  ldInd,
  ldMapIdx,
  ldMapIdxValue,
  ldMapValue,
  ldsx,
  ldx,
  le,
  loadAcquire,
  lsh32,
  mayGoto,
  mod32,
  mov,
  mov32,
  movsx,
  movsx32,
  mul32,
  neg,
  neg32,
  or32,
  type Program,
  rsh32,
  sdiv,
  sdiv32,
  smod,
  smod32,
  st,
  storeRelease,
  stx,
  sub32,
  xor32,
} from '../src/index.ts';
import { refusal, run } from './run.ts';

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const s32 = (value: bigint): bigint => BigInt.asIntN(32, value);
const A = 0x8000_0001_9abc_def0n;

/** What the lower halves give, for each operation of 32 bits. */
const arithmetic: [string, AluBuilder, bigint, (a: bigint, b: bigint) => bigint][] = [
  ['add32', add32, 0xffff_ffff_7000_0000n, (a, b) => a + b],
  ['sub32', sub32, 0xffff_ffff_f000_0000n, (a, b) => a - b],
  ['mul32', mul32, 77n, (a, b) => a * b],
  ['div32', div32, 0xffff_ffff_0000_0007n, (a, b) => a / b],
  ['mod32', mod32, 0xffff_ffff_0000_0007n, (a, b) => a % b],
  ['or32', or32, 0x0f0fn, (a, b) => a | b],
  ['and32', and32, 0xffff_0f0fn, (a, b) => a & b],
  ['xor32', xor32, 0xffff_0f0fn, (a, b) => a ^ b],
  ['mov32', mov32, 0x1_ffff_0f0fn, (_, b) => b],
  ['lsh32', lsh32, 7n, (a, b) => a << b],
  ['rsh32', rsh32, 7n, (a, b) => a >> b],
  ['arsh32', arsh32, 7n, (a, b) => s32(a) >> b],
];

kernelTest(progLoading, 'arithmetic of 32 bits works on the lower halves, and zeroes the upper', () => {
  for (const [name, build, b, meaning] of arithmetic) {
    const expected = u32(meaning(u32(A), u32(b)));
    assert.equal(run([lddw('r0', A), lddw('r1', b), build('r0', 'r1')]), expected, name);
    // Any 32 bits are an immediate, signed or not.
    if (b > 77n) assert.equal(run([lddw('r0', A), build('r0', Number(u32(b)))]), expected, `${name} with an immediate`);
  }
  assert.equal(run([lddw('r0', A), neg('r0')]), u64(-A));
  assert.equal(run([lddw('r0', A), neg32('r0')]), u32(-A));
});

const comparisons: [string, JumpBuilder, (a: bigint, b: bigint) => boolean][] = [
  ['jeq32', jeq32, (a, b) => a === b],
  ['jne32', jne32, (a, b) => a !== b],
  ['jgt32', jgt32, (a, b) => a > b],
  ['jge32', jge32, (a, b) => a >= b],
  ['jlt32', jlt32, (a, b) => a < b],
  ['jle32', jle32, (a, b) => a <= b],
  ['jsgt32', jsgt32, (a, b) => s32(a) > s32(b)],
  ['jsge32', jsge32, (a, b) => s32(a) >= s32(b)],
  ['jslt32', jslt32, (a, b) => s32(a) < s32(b)],
  ['jsle32', jsle32, (a, b) => s32(a) <= s32(b)],
  ['jset32', jset32, (a, b) => (a & b) !== 0n],
];

kernelTest(progLoading, 'jumps of 32 bits compare the lower halves', () => {
  for (const [name, build, meaning] of comparisons)
    for (const [a, b] of [
      [0x1_0000_0005n, 5n],
      [0x1_ffff_fffen, 5n],
      [2n, 0x7_ffff_fff1n],
    ] as const) {
      const taken = (jump: Program): bigint =>
        run([lddw('r1', a), jump, mov('r0', 0), ja('end'), label('yes'), mov('r0', 1), label('end')]);
      const expected = meaning(u32(a), u32(b)) ? 1n : 0n;
      assert.equal(taken([lddw('r2', b), build('r1', 'r2', 'yes')]), expected, `${name} ${a} ${b}`);
      assert.equal(taken([build('r1', Number(u32(b)), 'yes')]), expected, name);
    }
});

kernelTest(progLoading, 'byte order', () => {
  const value = 0x1122_3344_5566_7788n;
  const swapped: Record<number, bigint> = { 16: 0x8877n, 32: 0x8877_6655n, 64: 0x8877_6655_4433_2211n };
  for (const width of [16, 32, 64] as const) {
    assert.equal(run([lddw('r0', value), be('r0', width)]), swapped[width], `be${width}`);
    assert.equal(run([lddw('r0', value), le('r0', width)]), BigInt.asUintN(width, value), `le${width}`);
  }
});

kernelTest(isaV4, 'byte swaps, sign extension, signed division and long jumps', () => {
  const value = 0x1122_3344_5566_8898n;
  assert.equal(run([lddw('r0', value), bswap('r0', 16)]), 0x9888n);
  assert.equal(run([lddw('r0', value), bswap('r0', 32)]), 0x9888_6655n);
  assert.equal(run([lddw('r0', value), bswap('r0', 64)]), 0x9888_6655_4433_2211n);
  for (const from of [8, 16, 32] as const) {
    const expected = BigInt.asIntN(from, value);
    assert.equal(run([lddw('r1', value), movsx('r0', 'r1', from)]), u64(expected), `movsx ${from}`);
    if (from < 32) assert.equal(run([lddw('r1', value), movsx32('r0', 'r1', from as 8)]), u32(expected));
    const size = { 8: 'b', 16: 'h', 32: 'w' } as const;
    assert.equal(
      run([lddw('r1', value), stx('dw', 'r10', 'r1', -8), ldsx(size[from], 'r0', 'r10', -8)]),
      u64(expected),
    );
  }
  for (const b of [-7n, 7n]) {
    assert.equal(run([lddw('r0', -100n), lddw('r1', b), sdiv('r0', 'r1')]), u64(-100n / b));
    assert.equal(run([lddw('r0', -100n), smod('r0', Number(b))]), u64(-100n % b));
    assert.equal(run([lddw('r0', -100n), lddw('r1', b), smod32('r0', 'r1')]), u32(-100n % b));
    assert.equal(run([lddw('r0', -100n), sdiv32('r0', Number(b))]), u32(-100n / b));
  }
  assert.equal(
    run([ja('first'), label('second'), mov('r0', 5), ja('end'), label('first'), gotol('second'), label('end')]),
    5n,
  );
});

kernelTest(isaV4, 'a jump that is too long is made a gotol, and still goes where it should', () => {
  const far = Array.from({ length: 33_000 }, () => mov('r2', 0));
  const jumps = [jeq32('r0', 1, 'end'), jeq32('r0', 2, 'near'), ja('end'), label('near')];
  const program = [mov('r0', 1), jumps, far, mov('r0', 0), label('end')];
  const words = decode(assemble(program, { cpu: 'v4' }));
  assert.deepEqual(words[3], { kind: 'goto', op: 'gotol', target: 33_003 });
  assert.equal(run(words), 1n);
});

kernelTest(atomics, 'atomics', () => {
  const old = 0xff00_ff00_ff00_ff00n;
  const operand = 0x0ff0_0ff0_0ff0_0ff0n;
  const cell = (op: Program): bigint =>
    run([lddw('r1', old), stx('dw', 'r10', 'r1', -8), lddw('r2', operand), op, ldx('dw', 'r0', 'r10', -8)]);
  const fetched = (op: Program): bigint =>
    run([lddw('r1', old), stx('dw', 'r10', 'r1', -8), lddw('r2', operand), op, mov('r0', 'r2')]);
  const ops = [
    [atomicAdd, atomicFetchAdd, (a: bigint, b: bigint) => a + b],
    [atomicOr, atomicFetchOr, (a: bigint, b: bigint) => a | b],
    [atomicAnd, atomicFetchAnd, (a: bigint, b: bigint) => a & b],
    [atomicXor, atomicFetchXor, (a: bigint, b: bigint) => a ^ b],
    [undefined, atomicXchg, (_: bigint, b: bigint) => b],
  ] as const;
  for (const [plain, fetching, meaning] of ops) {
    const wide = u64(meaning(old, operand));
    const narrow = (old & ~0xffff_ffffn) | u32(meaning(u32(old), u32(operand)));
    if (plain) assert.equal(cell([plain('dw', 'r10', 'r2', -8)]), wide);
    if (plain) assert.equal(cell([plain('w', 'r10', 'r2', -8)]), narrow);
    assert.equal(cell([fetching('dw', 'r10', 'r2', -8)]), wide);
    assert.equal(cell([fetching('w', 'r10', 'r2', -8)]), narrow);
    assert.equal(fetched([fetching('dw', 'r10', 'r2', -8)]), old);
    assert.equal(fetched([fetching('w', 'r10', 'r2', -8)]), u32(old));
  }
  assert.equal(cell([lddw('r0', old), atomicCmpxchg('dw', 'r10', 'r2', -8)]), operand);
  assert.equal(cell([mov('r0', 1), atomicCmpxchg('dw', 'r10', 'r2', -8)]), old);
  assert.equal(run([st('dw', 'r10', -8, 7), mov('r0', 1), mov('r2', 2), atomicCmpxchg('w', 'r10', 'r2', -8)]), 7n);
});

kernelTest(acquireRelease, 'load_acquire and store_release of every size', () => {
  for (const size of ['b', 'h', 'w', 'dw'] as const) {
    const bits = { b: 8, h: 16, w: 32, dw: 64 }[size];
    const expected = BigInt.asUintN(bits, A);
    assert.equal(run([lddw('r1', A), stx('dw', 'r10', 'r1', -8), loadAcquire(size, 'r0', 'r10', -8)]), expected);
    const store = [
      lddw('r1', A),
      st('dw', 'r10', -8, 0),
      storeRelease(size, 'r10', 'r1', -8),
      ldx('dw', 'r0', 'r10', -8),
    ];
    assert.equal(run(store), expected);
  }
});

kernelTest(mayGotoLoop, 'may_goto ends a loop that the verifier cannot', () => {
  const loop: Program = [mov('r0', 0), label('top'), mayGoto('out'), add('r0', 1), ja('top'), label('out')];
  assert.ok(run(loop) > 1000n);
});

kernelTest(progLoading, 'functions of the same program', () => {
  const double: Program = [label('double'), mov('r0', 'r1'), add('r0', 'r0'), exit()];
  assert.equal(run([mov('r1', 21), callSubprog('double')], double), 42n);
});

kernelTest(progLoading, 'packet loads', () => {
  // The packet's bytes are 0, 1, 2, …, of which a socket filter sees what is behind the 14 of Ethernet. The loads are in
  // network byte order.
  assert.equal(run([mov('r6', 'r1'), ldAbs('h', 12)]), 0x1a1bn);
  assert.equal(run([mov('r6', 'r1'), mov('r7', 20), ldInd('w', 'r7', 4)]), 0x2627_2829n);
  assert.equal(run([mov('r6', 'r1'), ldAbs('b', 13)]), 27n);
});

kernelTest(mapValueAddress, 'the address of a value in a map', () => {
  using map = createMap({ type: 'array', valueSize: 16, maxEntries: 1 });
  map.set(
    0,
    Uint8Array.from({ length: 16 }, (_, i) => i),
  );
  assert.equal(run([ldMapValue('r1', map.fd, 8), ldx('w', 'r0', 'r1', 0)]), 0x0b0a_0908n);
});

kernelTest(kfuncs, 'kernel functions by their BTF ids', () => {
  const id = (name: string): number => kernelBtf().find('func', name) ?? assert.fail(name);
  const locked: Program = [callKfunc(id('bpf_rcu_read_lock')), callKfunc(id('bpf_rcu_read_unlock')), mov('r0', 3)];
  assert.equal(run(locked), 3n);
});

kernelTest(kernelVariables, 'kernel variables by their BTF ids', () => {
  const id = kernelBtf().find('var', 'runqueues') ?? assert.fail('runqueues');
  assert.equal(run([ldBtfId('r1', id), mov('r0', 3)]), 3n);
});

kernelTest(progLoading, 'what needs more than instructions is understood, and refused for that', () => {
  const out: Program = [mov('r0', 0), exit()];
  const said: [string, Program, RegExp][] = [
    [
      'ldMapIdx',
      [ldMapIdx('r1', 0), out],
      /fd_idx without fd_array|unrecognized bpf_ld_imm64 insn|invalid bpf_ld_imm64 insn/,
    ],
    [
      'ldMapIdxValue',
      [ldMapIdxValue('r1', 0, 4), out],
      /fd_idx without fd_array|unrecognized bpf_ld_imm64 insn|invalid bpf_ld_imm64 insn/,
    ],
    [
      'ldFunc',
      [ldFunc('r1', 'f'), out, label('f'), out],
      /missing btf func_info|invalid bpf_ld_imm64 insn|unrecognized bpf_ld_imm64 insn/,
    ],
    ['gotox', [mov('r1', 0), gotox('r1'), out], /no jump tables found|unknown opcode 0d/],
    [
      'addrSpaceCast',
      [mov('r2', 1), addrSpaceCast('r1', 'r2', 0, 1), out],
      /addr_space_cast|arena|BPF_MOV uses reserved fields/,
    ],
  ];
  for (const [name, program, words] of said) assert.match(refusal(program), words, name);
});
