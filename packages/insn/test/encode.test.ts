import { expect, test } from 'vitest';
import * as insn from '../src/index.ts';
import {
  add,
  addrSpaceCast,
  and32,
  arsh,
  assemble,
  atomicAdd,
  call,
  decode,
  exit,
  type Insn,
  ja,
  jeq,
  jeq32,
  jne,
  jset,
  jslt,
  label,
  lddw,
  ldMapFd,
  ldx,
  lsh,
  mov,
  mov32,
  rsh,
  slotCount,
  st,
  stx,
} from '../src/index.ts';

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

test('the exported names', () => {
  expect(Object.keys(insn).sort()).toMatchInlineSnapshot(`
    [
      "InsnError",
      "SLOT_BYTES",
      "add",
      "add32",
      "addrSpaceCast",
      "and",
      "and32",
      "arsh",
      "arsh32",
      "assemble",
      "atomicAdd",
      "atomicAnd",
      "atomicCmpxchg",
      "atomicFetchAdd",
      "atomicFetchAnd",
      "atomicFetchOr",
      "atomicFetchXor",
      "atomicOr",
      "atomicXchg",
      "atomicXor",
      "be",
      "bswap",
      "call",
      "callKfunc",
      "callSubprog",
      "captureSource",
      "decode",
      "div",
      "div32",
      "exit",
      "flatten",
      "gotol",
      "gotox",
      "ja",
      "jeq",
      "jeq32",
      "jge",
      "jge32",
      "jgt",
      "jgt32",
      "jle",
      "jle32",
      "jlt",
      "jlt32",
      "jne",
      "jne32",
      "jset",
      "jset32",
      "jsge",
      "jsge32",
      "jsgt",
      "jsgt32",
      "jsle",
      "jsle32",
      "jslt",
      "jslt32",
      "label",
      "ldAbs",
      "ldBtfId",
      "ldFunc",
      "ldInd",
      "ldMapFd",
      "ldMapIdx",
      "ldMapIdxValue",
      "ldMapValue",
      "lddw",
      "ldsx",
      "ldx",
      "le",
      "loadAcquire",
      "lsh",
      "lsh32",
      "mayGoto",
      "mod",
      "mod32",
      "mov",
      "mov32",
      "movsx",
      "movsx32",
      "mul",
      "mul32",
      "neg",
      "neg32",
      "or",
      "or32",
      "rsh",
      "rsh32",
      "sdiv",
      "sdiv32",
      "sizeBytes",
      "slotCount",
      "smod",
      "smod32",
      "st",
      "storeRelease",
      "stx",
      "sub",
      "sub32",
      "xor",
      "xor32",
    ]
  `);
});

// From llvm-mc -triple bpfel, checked against a kernel.
const vectors: [string, Insn, string][] = [
  ['r0 = 42', mov('r0', 42), 'b70000002a000000'],
  ['r6 = r1', mov('r6', 'r1'), 'bf16000000000000'],
  ['r9 += -32', add('r9', -32), '07090000e0ffffff'],
  ['r0 >>= 32', rsh('r0', 32), '7700000020000000'],
  ['r7 <<= 32', lsh('r7', 32), '6707000020000000'],
  ['r7 s>>= 32', arsh('r7', 32), 'c707000020000000'],
  ['exit', exit(), '9500000000000000'],
  ['call 127', call(127), '850000007f000000'],
  ['r7 = *(u64 *)(r6 + 8)', ldx('dw', 'r7', 'r6', 8), '7967080000000000'],
  ['r8 = *(u32 *)(r7 + 1264)', ldx('w', 'r8', 'r7', 1264), '6178f00400000000'],
  ['*(u64 *)(r10 - 8) = r0', stx('dw', 'r10', 'r0', -8), '7b0af8ff00000000'],
  ['*(u32 *)(r10 - 4) = 5', st('w', 'r10', -4, 5), '620afcff05000000'],
  ['if r7 == 0 goto +5', jeq('r7', 0, 5), '1507050000000000'],
  ['if r7 != 0 goto +2', jne('r7', 0, 2), '5507020000000000'],
  ['if r0 != r1 goto +4', jne('r0', 'r1', 4), '5d10040000000000'],
  ['goto +3', ja(3), '0500030000000000'],
  ['lock *(u64 *)(r0 + 0) += r1', atomicAdd('dw', 'r0', 'r1', 0), 'db10000000000000'],
  ['r1 = 0x1122334455667788 ll', lddw('r1', 0x1122334455667788n), '18010000887766550000000044332211'],
  ['r1 = map_fd 42', ldMapFd('r1', 42), '181100002a0000000000000000000000'],
];

test.each(vectors)('%s', (_, instruction, bytes) => {
  expect(hex(assemble([instruction]))).toBe(bytes);
});

test('lddw takes any 64-bit value, signed or unsigned', () => {
  const imm = (value: number | bigint): string => hex(assemble([lddw('r0', value)]));
  expect(imm(-1)).toBe(imm(2n ** 64n - 1n));
  expect(imm(-(2n ** 63n))).toBe(imm(2n ** 63n));
  expect(imm(0xffff_ffff)).toBe('18000000ffffffff0000000000000000');
  for (const bad of [2n ** 64n, -(2n ** 63n) - 1n, 2 ** 60, 1.5, Number.NaN])
    expect(() => lddw('r0', bad)).toThrow(/lddw: .* is not an integer in -2\^63\.\.2\^64-1/);
});

test('immediates outside the field are refused, never truncated', () => {
  for (const bad of [2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => mov('r0', bad)).toThrow(expect.objectContaining({ code: 'IMMEDIATE_RANGE' }));
    expect(() => jeq('r0', bad, 0)).toThrow(expect.objectContaining({ code: 'IMMEDIATE_RANGE' }));
    expect(() => st('dw', 'r10', -8, bad)).toThrow(expect.objectContaining({ code: 'IMMEDIATE_RANGE' }));
  }
  expect(() => mov('r0', 0xffff_ffff)).toThrow(
    'mov: 4294967295 is not an integer in -2147483648..2147483647; use lddw',
  );
  expect(() => ldMapFd('r1', -1)).toThrow('ldMapFd: -1 is not an integer in 0..2147483647');
});

test('a store of an immediate takes what its size holds, signed or unsigned', () => {
  expect(hex(assemble([st('w', 'r10', -4, 0xffff_ffff)]))).toBe(hex(assemble([st('w', 'r10', -4, -1)])));
  expect(() => st('b', 'r10', -1, 255)).not.toThrow();
  expect(() => st('b', 'r10', -1, 256)).toThrow("st: 256 is not an integer in -128..255, what 'b' holds");
  expect(() => st('h', 'r10', -2, -32769)).toThrow(/-32768\.\.65535/);
});

test('offsets outside the field are refused', () => {
  expect(() => addrSpaceCast('r1', 'r2', 32768, 0)).toThrow(
    'addrSpaceCast: address space: 32768 is not an integer in 0..32767',
  );
  expect(() => ldx('w', 'r0', 'r1', 32768)).toThrow('ldx: 32768 is not an integer in -32768..32767 bytes');
  expect(() => stx('w', 'r1', 'r0', -32769)).toThrow(expect.objectContaining({ code: 'OFFSET_RANGE' }));
});

test('names that the types would refuse are refused at run time too', () => {
  expect(() => assemble([mov('r11' as 'r0', 0)])).toThrow("slot 0: 'r11' is not a register, r0 to r10");
  expect(() => assemble([ldx('q' as 'w', 'r0', 'r1', 0)])).toThrow("slot 0: 'q' is not a size; there are: w, h, b, dw");
  expect(() => assemble([{ kind: 'nop' } as unknown as Insn])).toThrow("slot 0: 'nop' is not an instruction");
});

test('labels resolve forwards and backwards, over wide instructions', () => {
  const bytes = assemble(
    [
      label('top'),
      jeq('r1', 0, 'out'),
      [lddw('r2', 1n), [ldMapFd('r3', 'counts')]],
      jset('r1', 'r2', 'top'),
      label('out'),
      exit(),
    ],
    { maps: { counts: 7 } },
  );
  expect(hex(bytes)).toBe(
    `${'1501050000000000'}${'18020000010000000000000000000000'}${'18130000070000000000000000000000'}${'4d21faff00000000'}${'9500000000000000'}`,
  );
});

test('slotCount counts wide instructions twice and labels not at all', () => {
  expect(slotCount([label('a'), mov('r0', 0), [lddw('r1', 0)], exit()])).toBe(4);
});

test('label and map mistakes name the place', () => {
  expect(() => assemble([ja('out'), label('in'), exit()])).toThrow("slot 0: 'out' is not a label; there are: in");
  expect(() => assemble([label('a'), exit(), label('a'), exit()])).toThrow(
    "slot 1: 'a' is not a new label, see slot 0",
  );
  expect(() => assemble([ldMapFd('r1', 'counts'), exit()], { maps: { events: 3 } })).toThrow(
    "slot 0: 'counts' is not a map; there are: events",
  );
  expect(() => assemble([ldMapFd('r1', 'toString'), exit()], { maps: {} })).toThrow(/there are: none/);
});

test('a jump that is too long is refused', () => {
  const far = Array.from({ length: 32768 }, () => mov('r0', 0));
  expect(() => assemble([ja('end'), far, label('end'), exit()])).toThrow(
    "slot 0: 32768 is not an integer in -32768..32767 slots; cpu: 'v4' has gotol",
  );
  expect(() => assemble([ja('end'), far.slice(1), label('end'), exit()])).not.toThrow();
  expect(() => assemble([jslt('r0', 0, 1.5)])).toThrow(expect.objectContaining({ code: 'JUMP_RANGE' }));
});

test('the types refuse what the kernel would', () => {
  // @ts-expect-error r10 is read-only
  mov('r10', 0);
  // @ts-expect-error r10 is read-only
  ldx('w', 'r10', 'r1', 0);
  // @ts-expect-error a register where an immediate belongs
  expect(() => st('w', 'r10', -4, 'r1')).toThrow();
  // @ts-expect-error an unknown size
  ldx('q', 'r0', 'r1', 0);
  // @ts-expect-error an unknown register
  mov('r0', 'r11');
});

test('the fields of a slot lie the other way round on a big-endian kernel', () => {
  const big = (insn: Insn): string => hex(assemble([insn], { endian: 'big' }));
  // From llvm-mc -triple bpfeb.
  expect(big(mov('r0', 42))).toBe('b70000000000002a');
  expect(big(mov('r6', 'r1'))).toBe('bf61000000000000');
  expect(big(ldx('w', 'r8', 'r7', 1264))).toBe('618704f000000000');
  expect(big(stx('dw', 'r10', 'r0', -8))).toBe('7ba0fff800000000');
  expect(big(lddw('r1', 0x1122334455667788n))).toBe('18100000556677880000000011223344');
});

test('operations of 32 bits take any 32 bits, signed or unsigned', () => {
  expect(mov32('r0', 0xffff_ffff)).toEqual(mov32('r0', -1));
  expect(jeq32('r0', 0x8000_0000, 0)).toEqual(jeq32('r0', -0x8000_0000, 0));
  expect(hex(assemble([and32('r1', 0xffff_0000)]))).toBe('540100000000ffff');
  for (const bad of [2 ** 32, -(2 ** 31) - 1, 1.5])
    expect(() => mov32('r0', bad)).toThrow('is not an integer in -2147483648..4294967295');
});

test('jumps that are too long become gotol where the processor has it', () => {
  const far = Array.from({ length: 32768 }, () => mov('r0', 0));
  const program = [label('top'), jeq('r1', 0, 'end'), ja('end'), far, jne('r1', 0, 'top'), label('end'), exit()];
  expect(() => assemble(program)).toThrow(
    "slot 0: 32770 is not an integer in -32768..32767 slots; cpu: 'v4' has gotol",
  );
  const insns = decode(assemble(program, { cpu: 'v4' }));
  expect(insns.slice(0, 4)).toMatchObject([
    { kind: 'jump', op: 'jeq', target: 1 },
    { kind: 'goto', op: 'ja', target: 1 },
    { kind: 'goto', op: 'gotol', target: 32772 },
    { kind: 'goto', op: 'gotol', target: 32771 },
  ]);
  expect(insns.slice(-4)).toMatchObject([
    { kind: 'jump', op: 'jne', target: 1 },
    { kind: 'goto', op: 'ja', target: 1 },
    { kind: 'goto', op: 'gotol', target: -32775 },
    { kind: 'exit' },
  ]);
});

test('lengthening one jump may push another out of reach', () => {
  // The first reaches its label by one slot, until the second grows by two.
  const body = Array.from({ length: 32766 }, () => mov('r0', 0));
  const program = [ja('near'), jeq('r1', 0, 'far'), body, label('near'), body, label('far'), exit()];
  const insns = decode(assemble(program, { cpu: 'v4' }));
  expect(insns[0]).toMatchObject({ kind: 'goto', op: 'gotol', target: 32769 });
});
