import { spawnSync } from 'node:child_process';
import { assemble, lddw, type Program } from '@bpf/insn';
import { expect, test } from 'vitest';
import {
  allocStackBuffer,
  checkNull,
  checkNullAndExit,
  exitIfStopped,
  iterContext,
  iterReturn,
  loadCtxPtr,
  loadMetaField,
  loadOrExit,
  minimalTaskIterator,
  probeReadKernel,
  probeReadKernelStr,
  prologue,
  prologueWithMeta,
  returnContinue,
  returnStop,
  seqPrintf,
  seqWrite,
  stopIteration,
  taskNullCheckTemplate,
  zeroStack,
} from '../src/index.ts';

const hex = (program: Program): string =>
  Array.from(assemble(program, { maps: { stop: 42 } }), (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .replace(/.{16}(?=.)/g, '$& ');

const ctx = iterContext('task', 'r6');

/** Each with its text for llvm-mc, where it is on the path; the bytes were recorded with it and tried on kernels. */
const vectors: readonly (readonly [name: string, program: Program, bytes: string, text: string])[] = [
  ['prologue', prologue(ctx), 'bf16000000000000', 'r6 = r1'],
  [
    'prologueWithMeta',
    prologueWithMeta(ctx, 'r8'),
    'bf16000000000000 7968000000000000',
    'r6 = r1; r8 = *(u64 *)(r6 + 0)',
  ],
  ['loadCtxPtr', [loadCtxPtr(ctx, 'r7', 'task')], '7967080000000000', 'r7 = *(u64 *)(r6 + 8)'],
  [
    'loadCtxPtr of a number',
    [loadCtxPtr(iterContext('task_file', 'r6'), 'r7', 'fd')],
    '6167100000000000',
    'r7 = *(u32 *)(r6 + 16)',
  ],
  ['loadMetaField', [loadMetaField('r8', 'r1', 'seq_num')], '7981100000000000', 'r1 = *(u64 *)(r8 + 16)'],
  ['checkNull', [checkNull('r7', 5)], '1507050000000000', 'if r7 == 0 goto +5'],
  [
    'checkNullAndExit',
    checkNullAndExit('r7'),
    '5507020000000000 b700000000000000 9500000000000000',
    'if r7 != 0 goto +2; r0 = 0; exit',
  ],
  [
    'loadOrExit',
    loadOrExit(ctx, 'r7', 'task'),
    '7967080000000000 5507020000000000 b700000000000000 9500000000000000',
    'r7 = *(u64 *)(r6 + 8); if r7 != 0 goto +2; r0 = 0; exit',
  ],
  ['returnContinue', returnContinue(), 'b700000000000000 9500000000000000', 'r0 = 0; exit'],
  ['returnStop', returnStop(), 'b700000001000000 9500000000000000', 'r0 = 1; exit'],
  ['iterReturn', iterReturn('stop'), 'b700000001000000 9500000000000000', 'r0 = 1; exit'],
  [
    'seqWrite',
    seqWrite('r8', 'r9', 4),
    '7981000000000000 bf92000000000000 b703000004000000 850000007f000000',
    'r1 = *(u64 *)(r8 + 0); r2 = r9; r3 = 4; call 127',
  ],
  [
    'seqWrite from the stack',
    seqWrite('r8', -16, 'r7'),
    '7981000000000000 bfa2000000000000 07020000f0ffffff bf73000000000000 850000007f000000',
    'r1 = *(u64 *)(r8 + 0); r2 = r10; r2 += -16; r3 = r7; call 127',
  ],
  [
    'seqWrite with the context',
    seqWrite(ctx, 'r9', 4),
    '7961000000000000 7911000000000000 bf92000000000000 b703000004000000 850000007f000000',
    'r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 0); r2 = r9; r3 = 4; call 127',
  ],
  [
    'seqWrite of what is in r1, r2 and r3',
    seqWrite('r8', 'r1', 'r2'),
    'bf23000000000000 bf12000000000000 7981000000000000 850000007f000000',
    'r3 = r2; r2 = r1; r1 = *(u64 *)(r8 + 0); call 127',
  ],
  [
    'seqPrintf',
    seqPrintf('r8', '%d %d\n', ['r7', 5], -24),
    '7b7af0ff00000000 7a0af8ff05000000 620ae8ff25642025 620aecff640a0000 7981000000000000 bfa2000000000000 07020000e8ffffff b703000007000000 bfa4000000000000 07040000f0ffffff b705000010000000 850000007e000000',
    '*(u64 *)(r10 - 16) = r7; ' +
      '.byte 0x7a, 0x0a, 0xf8, 0xff, 5, 0, 0, 0; .byte 0x62, 0x0a, 0xe8, 0xff, 0x25, 0x64, 0x20, 0x25; ' +
      '.byte 0x62, 0x0a, 0xec, 0xff, 0x64, 0x0a, 0, 0; r1 = *(u64 *)(r8 + 0); r2 = r10; r2 += -24; r3 = 7; ' +
      'r4 = r10; r4 += -16; r5 = 16; call 126',
  ],
  [
    'seqPrintf without arguments',
    seqPrintf('r8', 'a%%', [], -8),
    '620af8ff61252500 7981000000000000 bfa2000000000000 07020000f8ffffff b703000004000000 b704000000000000 b705000000000000 850000007e000000',
    '.byte 0x62, 0x0a, 0xf8, 0xff, 0x61, 0x25, 0x25, 0; r1 = *(u64 *)(r8 + 0); r2 = r10; r2 += -8; r3 = 4; ' +
      'r4 = 0; r5 = 0; call 126',
  ],
  [
    'probeReadKernel',
    probeReadKernel('r9', 4, 'r7'),
    'bf91000000000000 b702000004000000 bf73000000000000 8500000071000000',
    'r1 = r9; r2 = 4; r3 = r7; call 113',
  ],
  [
    'probeReadKernel of what is in r1',
    probeReadKernel(-8, 8, 'r1'),
    'b702000008000000 bf13000000000000 bfa1000000000000 07010000f8ffffff 8500000071000000',
    'r2 = 8; r3 = r1; r1 = r10; r1 += -8; call 113',
  ],
  [
    'probeReadKernelStr',
    probeReadKernelStr('r9', 16, 'r7'),
    'bf91000000000000 b702000010000000 bf73000000000000 8500000073000000',
    'r1 = r9; r2 = 16; r3 = r7; call 115',
  ],
  ['allocStackBuffer', allocStackBuffer('r9', -32), 'bfa9000000000000 07090000e0ffffff', 'r9 = r10; r9 += -32'],
  [
    'allocStackBuffer, zeroed',
    allocStackBuffer('r9', -8, 8),
    '7a0af8ff00000000 bfa9000000000000 07090000f8ffffff',
    '.byte 0x7a, 0x0a, 0xf8, 0xff, 0, 0, 0, 0; r9 = r10; r9 += -8',
  ],
  [
    'zeroStack at odd ends',
    zeroStack(-15, 14),
    '720af1ff00000000 6a0af2ff00000000 620af4ff00000000 620af8ff00000000 6a0afcff00000000 720afeff00000000',
    [0x72f1, 0x6af2, 0x62f4, 0x62f8, 0x6afc, 0x72fe]
      .map((code) => `.byte ${code >> 8}, 0x0a, ${code & 0xff}, 0xff, 0, 0, 0, 0`)
      .join('; '),
  ],
  [
    'stopIteration',
    stopIteration('r8', 'stop'),
    '7981080000000000 182200002a000000 0000000000000000 7b12000000000000 b700000000000000 9500000000000000',
    'r1 = *(u64 *)(r8 + 8); .byte 0x18, 0x22, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0; ' +
      '*(u64 *)(r2 + 0) = r1; r0 = 0; exit',
  ],
  [
    'exitIfStopped',
    exitIfStopped(ctx, 'stop'),
    '7961000000000000 7911080000000000 182200002a000000 0000000000000000 7922000000000000 5d21020000000000 b700000000000000 9500000000000000',
    'r1 = *(u64 *)(r6 + 0); r1 = *(u64 *)(r1 + 8); .byte 0x18, 0x22, 0, 0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0; ' +
      'r2 = *(u64 *)(r2 + 0); if r1 != r2 goto +2; r0 = 0; exit',
  ],
  [
    'minimalTaskIterator',
    minimalTaskIterator(),
    'bf16000000000000 b700000000000000 9500000000000000',
    'r6 = r1; r0 = 0; exit',
  ],
  [
    'taskNullCheckTemplate counts a wide instruction as two',
    taskNullCheckTemplate([lddw('r8', 7)]),
    'bf16000000000000 7967080000000000 1507020000000000 1808000007000000 0000000000000000 b700000000000000 9500000000000000',
    'r6 = r1; r7 = *(u64 *)(r6 + 8); if r7 == 0 goto +2; r8 = 7 ll; r0 = 0; exit',
  ],
];

test.each(vectors)('%s', (_, program, bytes) => {
  expect(hex(program)).toBe(bytes);
});

const hasLlvm = spawnSync('llvm-mc', ['--version']).status === 0;

test.skipIf(!hasLlvm)('llvm-mc says the same', () => {
  const text = vectors.map(([, , , text]) => text.replaceAll('; ', '\n')).join('\n');
  const { stdout, stderr } = spawnSync('llvm-mc', ['-triple=bpfel', '-mcpu=v3', '-show-encoding'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const encoded = [...stdout.matchAll(/encoding: \[(.*)\]|\.byte\t(\d+)/g)].map(([, instruction, byte]) =>
    instruction === undefined ? Number(byte).toString(16).padStart(2, '0') : instruction.replaceAll(/0x|,/g, ''),
  );
  expect(encoded.join('')).toBe(vectors.map(([, , bytes]) => bytes.replaceAll(' ', '')).join(''));
});
