import { allocStackBuffer, probeReadKernel, probeReadKernelStr, zeroStack } from '../src/index.ts';
import { testVectors } from './vectors.ts';

testVectors([
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
]);
