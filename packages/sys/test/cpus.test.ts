import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCpuList, possibleCpus } from '../src/index.ts';

test.each<[string, number[]]>([
  ['0', [0]],
  ['0-3\n', [0, 1, 2, 3]],
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['0,2,4-5', [0, 2, 4, 5]],
  ['7-7', [7]],
])('the list %j', (list, cpus) => {
  expect(parseCpuList(list)).toEqual(cpus);
});

test.each(['', '\n', 'x', '0-', '-1', '3-1', '0,,1', '0, 1', '1,1', '0-3,2', '5,1', '0-3:1/2', '0x1', '99999999'])(
  '%j is no list of CPUs',
  (list) => {
    expect(() => parseCpuList(list)).toThrow('is not a list of CPUs, which looks like 0-3,8 and goes up');
  },
);

test.runIf(process.platform === 'linux')('the CPUs of this machine are at least those of /proc/cpuinfo', () => {
  const online = readFileSync('/proc/cpuinfo', 'utf8').match(/^processor\s*:/gm)?.length ?? 1;
  expect(possibleCpus()).toBeGreaterThanOrEqual(online);
  expect(possibleCpus()).toBe(possibleCpus());
});
