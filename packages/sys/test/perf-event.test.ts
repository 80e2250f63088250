import { expect, test } from 'vitest';
import { type PerfEventOptions, perfEventOpen, tracepointId } from '../src/index.ts';

const OPTIONS: PerfEventOptions = { type: 'software', config: 0, pid: 0, cpu: -1 };

test.runIf(process.platform === 'linux')('what cannot be is refused before the call', () => {
  const refused: [Partial<PerfEventOptions>, string][] = [
    [{ pid: -1, cpu: -1 }, 'pid and cpu are both -1'],
    [{ pid: -2 }, 'pid is -2; it must be an integer in -1..2147483647'],
    [{ cpu: 0.5 }, 'cpu is 0.5'],
    [{ config: -1 }, 'config is -1; it must be an integer in 0..2^64-1'],
    [{ config: Number.NaN }, 'config is NaN'],
    [{ config: 2n ** 64n }, 'config is 18446744073709551616'],
    [{ samplePeriod: 2 ** 53 }, 'samplePeriod is 9007199254740992'],
    [{ sampleFreq: 1.5 }, 'sampleFreq is 1.5'],
    [{ wakeupEvents: 2 ** 32 }, 'wakeupEvents is 4294967296'],
    [{ config1: 'a\0b' }, 'config1 is "a\\u0000b"'],
    [{ groupFd: -1 }, 'the descriptor is -1'],
    [{ type: 'no_such_pmu' }, "This machine has no perf events of type 'no_such_pmu'"],
    [{ type: '../../../etc' }, 'This machine has no perf events of type'],
  ];
  for (const [options, message] of refused) expect(() => perfEventOpen({ ...OPTIONS, ...options })).toThrow(message);
  expect(() => tracepointId('sched', '../x')).toThrow("'../x' cannot be in the name of a tracepoint");
});
