import { expect, test } from 'vitest';
import { runProgram, whyNoMaps } from './stress-run.ts';

const reason = whyNoMaps();
if (reason !== undefined) console.log(`stress, workers and heap: skipped. ${reason}`);

// `node --expose-gc .cache/sys-tests/stress.mjs 10000000 2` afterwards is the long one.
test.skipIf(reason)('100,000 operations in two threads under allocation pressure: no value differs', async () => {
  const { operations, rssAfter, left } = JSON.parse(
    await runProgram(new URL('./stress.ts', import.meta.url), ['100000', '2']),
  );
  expect(operations).toBe(100_000);
  expect(rssAfter).toBeLessThan(500);
  expect(left).toEqual([]);
});

test.skipIf(reason)('Workers: maps by id, an errno for each thread, terminated in the middle', async () => {
  expect(JSON.parse(await runProgram(new URL('./worker.ts', import.meta.url)))).toEqual({
    byId: 'passed',
    errno: 'passed',
    terminated: 'passed',
    left: 'passed',
  });
});

test.skipIf(reason)('an operation on an element allocates nothing', async () => {
  // Room for all that is allocated in a round: otherwise a collection would take some of it away.
  const room = ['--min-semi-space-size=64', '--max-semi-space-size=64'];
  const bytes = JSON.parse(await runProgram(new URL('./heap.ts', import.meta.url), [], room)) as Record<string, number>;
  expect(Object.keys(bytes)).toHaveLength(20);
  // The smallest object has 16 bytes. What is measured beside it is the measurement.
  for (const [operation, perCall] of Object.entries(bytes)) expect(perCall, operation).toBeLessThan(1);
});
