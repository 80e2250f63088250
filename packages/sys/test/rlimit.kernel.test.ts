import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { memlock } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { errnoName, kernelAtLeast, mapCreate, raiseMemlock, rawSyscall, readMachine, withScope } from '../src/index.ts';
import { getLibc } from '../src/libc.ts';

const INFINITY = 2n ** 64n - 1n;
const MEMLOCK = 8;

/** Sets the limits, if given, and returns those that were in force. */
function limits(...set: bigint[]): [bigint, bigint] {
  return withScope((scope) => {
    const now = scope.alloc(16);
    const before = scope.alloc(16);
    for (const [i, limit] of set.entries()) now.view.setBigUint64(i * 8, limit, true);
    const next = set.length === 0 ? 0 : now.address;
    assert.equal(rawSyscall(getLibc().numbers.prlimit64, 0, MEMLOCK, next, before.address), 0);
    return [before.view.getBigUint64(0, true), before.view.getBigUint64(8, true)];
  });
}

/** BPF_MAP_CREATE of a large array, and nothing else that may help. */
function tryMap(): string {
  return withScope((scope) => {
    const attr = scope.alloc(16);
    for (const [i, word] of [2, 4, 8, 100_000].entries()) attr.view.setUint32(i * 4, word, true);
    const result = Number(rawSyscall(getLibc().numbers.bpf, 0, attr.address, 16));
    if (result < 0) return errnoName(-result);
    closeSync(result);
    return 'made';
  });
}

kernelTest(memlock, 'raising it lets a kernel make maps that counts them as locked memory', () => {
  const before = limits();
  try {
    limits(4096n, before[1]);
    assert.equal(tryMap(), kernelAtLeast(readMachine().release, 5, 11) ? 'made' : 'EPERM');
    assert.equal(raiseMemlock(), true);
    assert.deepEqual(limits(), [INFINITY, INFINITY]);
    assert.equal(tryMap(), 'made');
    assert.equal(raiseMemlock(), false);
  } finally {
    limits(...before);
  }
});

kernelTest(memlock, 'a map that the limit forbids is made all the same', () => {
  const before = limits();
  try {
    limits(4096n, before[1]);
    mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 100_000 }).close();
    assert.equal(limits()[0], kernelAtLeast(readMachine().release, 5, 11) ? 4096n : INFINITY);
  } finally {
    limits(...before);
  }
});
