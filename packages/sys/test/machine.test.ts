import { expect, test } from 'vitest';
import { capabilityNames } from '../src/index.ts';

test('capabilities have names', () => {
  expect(capabilityNames(0n)).toEqual([]);
  expect(capabilityNames(3n << 38n)).toEqual(['CAP_PERFMON', 'CAP_BPF']);
  expect(capabilityNames((1n << 12n) | (1n << 21n) | (1n << 24n) | 1n)).toEqual([
    'CAP_NET_ADMIN',
    'CAP_SYS_ADMIN',
    'CAP_SYS_RESOURCE',
  ]);
});
