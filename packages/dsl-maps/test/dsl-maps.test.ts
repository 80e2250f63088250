import { DslError } from '@bpf/dsl';
import { assemble, flatten, type Program, slotCount } from '@bpf/insn';
import { format, formatInsn } from '@bpf/insn/text';
import { expect, test } from 'vitest';
import { llvmAssemble, llvmVersion } from '../../insn/test/text/llvm.ts';
import * as dsl from '../src/index.ts';
import {
  BPF_ANY,
  BPF_EXIST,
  BPF_F_CURRENT_CPU,
  BPF_F_LOCK,
  BPF_NOEXIST,
  mapDelete,
  mapDeletePtr,
  mapIncrement,
  mapLookup,
  mapLookupInner,
  mapLookupOrInit,
  mapLookupPercpu,
  mapLookupPtr,
  mapPeek,
  mapPop,
  mapPush,
  mapUpdate,
  mapUpdatePtr,
  perfEventOutput,
  ringbufDiscard,
  ringbufOutput,
  ringbufReserve,
  ringbufSubmit,
} from '../src/index.ts';

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const hex = (program: Program): string => hexOf(assemble(program)).replace(/.{16}(?=.)/g, '$& ');
const lines = (program: Program): string[] => format(program).split('\n');

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "BPF_ANY",
      "BPF_EXIST",
      "BPF_F_CURRENT_CPU",
      "BPF_F_LOCK",
      "BPF_NOEXIST",
      "BPF_RB_FORCE_WAKEUP",
      "BPF_RB_NO_WAKEUP",
      "mapDelete",
      "mapDeletePtr",
      "mapIncrement",
      "mapLookup",
      "mapLookupInner",
      "mapLookupOrInit",
      "mapLookupPercpu",
      "mapLookupPtr",
      "mapPeek",
      "mapPop",
      "mapPush",
      "mapUpdate",
      "mapUpdatePtr",
      "perfEventOutput",
      "ringbufDiscard",
      "ringbufOutput",
      "ringbufReserve",
      "ringbufSubmit",
    ]
  `);
  expect([BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK]).toEqual([0, 1, 2, 4]);
});

test('mapLookup', () => {
  expect(hex(mapLookup(42, -16))).toBe(
    '181100002a000000 0000000000000000 bfa2000000000000 07020000f0ffffff 8500000001000000',
  );
  expect(slotCount(mapLookup('m', -4))).toBe(5);
});

test('mapUpdate', () => {
  expect(hex(mapUpdate(42, -16, -32, BPF_NOEXIST))).toBe(
    '181100002a000000 0000000000000000 bfa2000000000000 07020000f0ffffff bfa3000000000000 07030000e0ffffff b704000001000000 8500000002000000',
  );
});

test('mapDelete', () => {
  expect(hex(mapDelete(42, -16))).toBe(
    '181100002a000000 0000000000000000 bfa2000000000000 07020000f0ffffff 8500000003000000',
  );
});

test('pointers in registers are read before those registers are written', () => {
  expect(hex(mapLookupPtr(42, 'r6'))).toBe('181100002a000000 0000000000000000 bf62000000000000 8500000001000000');
  expect(lines(mapLookupPtr(42, 'r1'))).toEqual(['r2 = r1', 'r1 = map_fd[42] ll', 'call 1']);
  expect(lines(mapLookupPtr(42, 'r2'))).toEqual(['r1 = map_fd[42] ll', 'call 1']);
  expect(lines(mapDeletePtr(42, 'r1'))).toEqual(['r2 = r1', 'r1 = map_fd[42] ll', 'call 3']);
  expect(lines(mapUpdatePtr(42, 'r6', 'r7', BPF_EXIST))).toEqual([
    'r1 = map_fd[42] ll',
    'r2 = r6',
    'r3 = r7',
    'r4 = 2',
    'call 2',
  ]);
  expect(lines(mapUpdatePtr(42, 'r1', 'r2'))).toEqual(['r3 = r2', 'r2 = r1', 'r1 = map_fd[42] ll', 'r4 = 0', 'call 2']);
  expect(lines(mapUpdatePtr(42, 'r2', 'r4'))).toEqual(['r1 = map_fd[42] ll', 'r3 = r4', 'r4 = 0', 'call 2']);
  expect(() => mapUpdatePtr('m', 'r3', 'r2')).toThrow(
    "mapUpdatePtr: its operands in r3 and r2 wait for each other's register; keep them in r6 to r9",
  );
  // @ts-expect-error r10 points behind the stack
  expect(() => mapLookupPtr('m', 'r10')).toThrow(
    'mapLookupPtr: r10 is the end of the stack: say an offset, such as -8',
  );
  // @ts-expect-error a number is an offset, which this does not take
  mapLookupPtr('m', -8);
});

test('mapLookupOrInit looks up once when the value is there', () => {
  const program = mapLookupOrInit(42, -16, -32);
  expect(slotCount(program)).toBe(19);
  expect(lines(program)).toEqual([
    ...lines(mapLookup(42, -16)),
    'if r0 != 0 goto +13',
    ...lines(mapUpdate(42, -16, -32, BPF_NOEXIST)),
    ...lines(mapLookup(42, -16)),
  ]);
});

test('mapIncrement adds with an atomic instruction', () => {
  expect(slotCount(mapIncrement(42, -4, -16))).toBe(27);
  const lookup = lines(mapLookup(42, -4));
  const update = lines(mapUpdate(42, -4, -16, BPF_NOEXIST));
  expect(lines(mapIncrement(42, -4, -16, 5))).toEqual([
    ...lookup,
    'if r0 != 0 goto +18',
    '*(u64 *)(r10 - 16) = 5',
    ...update,
    'if w0 != -17 goto +11',
    ...lookup,
    'if r0 != 0 goto +2',
    'r0 = -2',
    'goto +3',
    'r1 = 5',
    'lock *(u64 *)(r0 + 0) += r1',
    'r0 = 0',
  ]);
  expect(lines(mapIncrement(42, -4, -16, 'r7', 'w'))).toEqual([
    ...lookup,
    'if r0 != 0 goto +18',
    '*(u32 *)(r10 - 16) = r7',
    ...update,
    'if w0 != -17 goto +10',
    ...lookup,
    'if r0 != 0 goto +2',
    'r0 = -2',
    'goto +2',
    'lock *(u32 *)(r0 + 0) += w7',
    'r0 = 0',
  ]);
  expect(() => mapIncrement('m', -4, -12)).toThrow(
    'mapIncrement: -12 is not a multiple of 8, as this offset in the stack must be',
  );
  // @ts-expect-error r1 would be lost in the lookup
  mapIncrement('m', -4, -16, 'r1');
});

test('other CPUs, maps in maps, queues', () => {
  const key = ['r1 = map_fd[42] ll', 'r2 = r10', 'r2 += -4'];
  expect(lines(mapLookupPercpu(42, -4, 3))).toEqual([...key, 'r3 = 3', 'call 195']);
  expect(lines(mapLookupPercpu(42, -4, 'r1'))).toEqual([key[1], key[2], 'r3 = r1', key[0], 'call 195']);
  expect(lines(mapLookupInner(42, -4, -8))).toEqual([
    ...lines(mapLookup(42, -4)),
    'if r0 == 0 goto +4',
    'r1 = r0',
    'r2 = r10',
    'r2 += -8',
    'call 1',
  ]);
  expect(lines(mapPush(42, -4, BPF_EXIST))).toEqual([...key, 'r3 = 2', 'call 87']);
  expect(lines(mapPop(42, -4))).toEqual([...key, 'call 88']);
  expect(lines(mapPeek(42, 'r6'))).toEqual(['r1 = map_fd[42] ll', 'r2 = r6', 'call 89']);
});

test('ring buffers and perf events', () => {
  const data = ['r2 = r10', 'r2 += -16'];
  expect(lines(ringbufOutput(42, -16, 16))).toEqual(['r1 = map_fd[42] ll', ...data, 'r3 = 16', 'r4 = 0', 'call 130']);
  expect(lines(ringbufReserve(42, 64))).toEqual(['r1 = map_fd[42] ll', 'r2 = 64', 'r3 = 0', 'call 131']);
  expect(lines(ringbufSubmit('r0'))).toEqual(['r1 = r0', 'r2 = 0', 'call 132']);
  expect(lines(ringbufDiscard('r6', 1))).toEqual(['r1 = r6', 'r2 = 1', 'call 133']);
  expect(BPF_F_CURRENT_CPU).toBe(0xffff_ffff);
  expect(lines(perfEventOutput('r6', 42, -16, 16))).toEqual([
    'r1 = r6',
    'r2 = map_fd[42] ll',
    'w3 = -1',
    'r4 = r10',
    'r4 += -16',
    'r5 = 16',
    'call 25',
  ]);
  expect(() => ringbufReserve('m', 0)).toThrow('ringbufReserve: 0 bytes are no size of a record: it is 1..2^30-1');
  expect(() => ringbufOutput('m', -8, 16)).toThrow('ringbufOutput: 16 bytes at -8 are not in the stack');
  // @ts-expect-error the verifier wants a number that it knows
  expect(() => ringbufReserve('m', 'r6')).toThrow(DslError);
});

test('an offset outside the stack is refused', () => {
  for (const bad of [0, 4, -513, -1.5])
    expect(() => mapLookup('m', bad)).toThrow(`mapLookup: ${bad} is not in the stack, whose offsets are -512..-1`);
  expect(() => mapUpdate('m', -4, 0)).toThrow(expect.objectContaining({ code: 'STACK_RANGE' }));
});

const llvm = llvmVersion();
test.skipIf(llvm === undefined)(`LLVM ${llvm} makes the same bytes`, () => {
  for (const program of [
    mapUpdatePtr('m', 'r1', 'r2'),
    mapIncrement('m', -4, -16, 5),
    mapIncrement('m', -4, -16, 'r7', 'w'),
    mapLookupOrInit('m', -4, -16),
    mapLookupInner('m', -4, -16),
    perfEventOutput('r6', 'm', -16, 16),
  ]) {
    const insns = flatten(program);
    // To LLVM, a map is a number that a loader replaces. Old ones do not know a store of a number.
    const known = llvmAssemble(insns.map((insn) => formatInsn(insn).replace('map_fd[m]', '0')));
    expect(known.filter(Boolean).length).toBeGreaterThanOrEqual(insns.length - 1);
    for (const [i, insn] of insns.entries()) {
      const bytes = hexOf(assemble([insn], { maps: { m: 0 } })).replace(/^181/, '180');
      if (known[i]) expect(known[i].hex).toBe(bytes);
    }
  }
});
