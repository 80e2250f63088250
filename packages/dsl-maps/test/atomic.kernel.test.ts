import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { u32, u64 } from '@bpf/btf/data';
import { exit, mov, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';
import { arrayMap, hashMap } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { mapIncrement } from '../src/index.ts';

const BPF = process.arch === 'x64' ? 321 : 280;
const PROG_TEST_RUN = 10;

/** BPF_PROG_TEST_RUN in a thread of its own, which says by `state` when it starts (1) and ends (2). */
const worker = `
  const { workerData: { koffi: path, state, fd, repeat } } = require('node:worker_threads');
  const koffi = require(path);
  const syscall = koffi.load(null).func('long syscall(long number, int command, uint64_t attr, uint64_t size)');
  const attr = koffi.alloc('uint8_t', 128);
  const view = new DataView(koffi.view(attr, 128));
  view.setUint32(0, fd, true);
  view.setUint32(8, 14, true); // bytes of data
  view.setBigUint64(16, BigInt(koffi.alloc('uint8_t', 14)), true);
  view.setUint32(32, repeat, true);
  Atomics.store(state, 0, 1);
  Atomics.notify(state, 0);
  const result = syscall(${BPF}, ${PROG_TEST_RUN}, attr, 48);
  Atomics.store(state, 0, result === 0 ? 2 : 3);
  Atomics.notify(state, 0);
`;

/** Runs a program so often in two threads at the same time. */
async function twice(program: { readonly fd: number }, repeat: number): Promise<void> {
  const state = new Int32Array(new SharedArrayBuffer(4));
  const koffi = join(jobFolder, 'node_modules/koffi');
  const thread = new Worker(worker, { eval: true, workerData: { koffi, state, fd: program.fd, repeat } });
  const exited = once(thread, 'exit');
  Atomics.wait(state, 0, 0, 30_000);
  progTestRun(program, { data: new Uint8Array(14), repeat });
  await exited;
  assert.equal(state[0], 2);
}

for (const { feature, size, make } of [
  { feature: arrayMap, size: 'dw', make: () => createMap({ type: 'array', value: u64, maxEntries: 1 }) },
  { feature: hashMap, size: 'w', make: () => createMap({ type: 'hash', key: u32, value: u32, maxEntries: 1 }) },
] as const)
  kernelTest(feature, `increments by two threads are all there ('${size}')`, async () => {
    using map = make();
    const instructions = [st('w', 'r10', -4, 0), mapIncrement('map', -4, -16, 1, size), mov('r0', 0), exit()];
    using program = loadProgram({ name: 'increment', type: 'socket_filter', instructions }, { maps: { map } });
    const first = 1000;
    const { duration } = progTestRun(program, { data: new Uint8Array(14), repeat: first });
    // Millions, or as many as go in a second or two of an emulated machine.
    const repeat = Math.min(2_000_000, Math.floor(1e9 / Math.max(duration, 1)));
    await twice(program, repeat);
    assert.equal(Number(map.get(0)), first + 2 * repeat);
  });
