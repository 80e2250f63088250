import assert from 'node:assert/strict';
import { progLoading } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  type AluBuilder,
  add,
  and,
  arsh,
  atomicAdd,
  div,
  type JumpBuilder,
  ja,
  jeq,
  jge,
  jgt,
  jle,
  jlt,
  jne,
  jset,
  jsge,
  jsgt,
  jsle,
  jslt,
  label,
  lddw,
  ldx,
  lsh,
  mod,
  mov,
  mul,
  or,
  type Program,
  rsh,
  type Size,
  st,
  stx,
  sub,
  xor,
} from '../src/index.ts';
import { run } from './run.ts';

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

const operands = [0n, 1n, 7n, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n];

/** Each operation, what it means (RFC 9669, section 4.1), and whether it takes a shift count. */
const arithmetic: [string, AluBuilder, (a: bigint, b: bigint) => bigint, 'shift'?][] = [
  ['add', add, (a, b) => a + b],
  ['sub', sub, (a, b) => a - b],
  ['mul', mul, (a, b) => a * b],
  ['div', div, (a, b) => (b === 0n ? 0n : a / b)],
  ['mod', mod, (a, b) => (b === 0n ? a : a % b)],
  ['or', or, (a, b) => a | b],
  ['and', and, (a, b) => a & b],
  ['xor', xor, (a, b) => a ^ b],
  ['mov', mov, (_, b) => b],
  ['lsh', lsh, (a, b) => a << b, 'shift'],
  ['rsh', rsh, (a, b) => a >> b, 'shift'],
  ['arsh', arsh, (a, b) => signed(a) >> b, 'shift'],
];

for (const [name, build, meaning, shift] of arithmetic)
  kernelTest(progLoading, `${name} computes what RFC 9669 says`, () => {
    const seconds = shift ? [0n, 1n, 31n, 32n, 63n] : operands;
    for (const a of [0n, 7n, 0x8000_0000_0000_0001n, 2n ** 64n - 1n])
      for (const b of seconds)
        assert.equal(
          run([lddw('r0', a), lddw('r1', b), build('r0', 'r1')]),
          BigInt.asUintN(64, meaning(a, b)),
          `${name} ${a} ${b}`,
        );
    // An immediate is sign-extended.
    const imm = shift ? 33 : -5;
    assert.equal(
      run([lddw('r0', 77n), build('r0', imm)]),
      BigInt.asUintN(64, meaning(77n, BigInt.asUintN(64, BigInt(imm)))),
    );
  });

const conditions: [string, JumpBuilder, (a: bigint, b: bigint) => boolean][] = [
  ['jeq', jeq, (a, b) => a === b],
  ['jne', jne, (a, b) => a !== b],
  ['jgt', jgt, (a, b) => a > b],
  ['jge', jge, (a, b) => a >= b],
  ['jlt', jlt, (a, b) => a < b],
  ['jle', jle, (a, b) => a <= b],
  ['jsgt', jsgt, (a, b) => signed(a) > signed(b)],
  ['jsge', jsge, (a, b) => signed(a) >= signed(b)],
  ['jslt', jslt, (a, b) => signed(a) < signed(b)],
  ['jsle', jsle, (a, b) => signed(a) <= signed(b)],
  ['jset', jset, (a, b) => (a & b) !== 0n],
];

for (const [name, build, meaning] of conditions)
  kernelTest(progLoading, `${name} jumps when RFC 9669 says`, () => {
    const taken = (a: bigint, jump: Program): boolean =>
      run([lddw('r1', a), jump, mov('r0', 0), ja('end'), label('yes'), mov('r0', 1), label('end')]) === 1n;
    for (const a of [0n, 7n, 2n ** 63n, 2n ** 64n - 1n])
      for (const b of [0n, 7n, 2n ** 64n - 1n])
        assert.equal(taken(a, [lddw('r2', b), build('r1', 'r2', 'yes')]), meaning(a, b), `${name} ${a} ${b}`);
    assert.equal(taken(5n, [build('r1', -1, 'yes')]), meaning(5n, 2n ** 64n - 1n), 'a sign-extended immediate');
  });

kernelTest(progLoading, 'loads and stores of every size', () => {
  const value = 0x1122_3344_5566_7788n;
  for (const [size, bits] of [
    ['b', 8],
    ['h', 16],
    ['w', 32],
    ['dw', 64],
  ] as [Size, number][]) {
    assert.equal(
      run([st('dw', 'r10', -8, 0), lddw('r1', value), stx(size, 'r10', 'r1', -8), ldx('dw', 'r0', 'r10', -8)]),
      BigInt.asUintN(bits, value),
    );
    assert.equal(
      run([lddw('r1', value), stx('dw', 'r10', 'r1', -8), ldx(size, 'r0', 'r10', -8)]),
      BigInt.asUintN(bits, value),
    );
    assert.equal(
      run([st('dw', 'r10', -8, 0), st(size, 'r10', -8, -2), ldx('dw', 'r0', 'r10', -8)]),
      BigInt.asUintN(bits, -2n),
    );
  }
});

kernelTest(progLoading, 'atomicAdd adds to memory', () => {
  const sum = run([
    lddw('r1', 2n ** 40n),
    stx('dw', 'r10', 'r1', -8),
    mov('r2', 5),
    atomicAdd('dw', 'r10', 'r2', -8),
    ldx('dw', 'r0', 'r10', -8),
  ]);
  assert.equal(sum, 2n ** 40n + 5n);
});
