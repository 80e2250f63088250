import { lddw } from '@bpf/insn';
import { testVectors, type Vector } from '../../dsl/test/vectors.ts';
import {
  checkNull,
  checkNullAndExit,
  exitIfStopped,
  iterContext,
  iterReturn,
  loadCtxPtr,
  loadMetaField,
  loadOrExit,
  minimalTaskIterator,
  prologue,
  prologueWithMeta,
  returnContinue,
  returnStop,
  seqPrintf,
  seqWrite,
  stopIteration,
  taskNullCheckTemplate,
} from '../src/index.ts';

const ctx = iterContext('task', 'r6');

const vectors: readonly Vector[] = [
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

testVectors(vectors);
