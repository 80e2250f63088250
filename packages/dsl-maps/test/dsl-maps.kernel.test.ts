import assert from 'node:assert/strict';
import { exit, type Program as Instructions, jne, label, ldx, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';
import { arrayMap, hashMap } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { BPF_EXIST, BPF_NOEXIST, mapLookup, mapUpdate } from '../src/index.ts';

const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);

/** Runs a program once, and returns its r0 as the kernel reports it: a signed 32-bit number. */
function run(instructions: Instructions, map: { readonly fd: number }): number {
  using program = loadProgram(
    { name: 'dsl_maps', type: 'socket_filter', instructions: [instructions, exit()] },
    { maps: { map } },
  );
  return progTestRun(program, { data: new Uint8Array(14) }).retval | 0;
}

const key = (n: number): Instructions => [st('w', 'r10', -4, n)];
const value = (n: number): Instructions => [st('w', 'r10', -8, n)];
/** The value that a key has, or 0. */
const read = (n: number): Instructions => [
  key(n),
  mapLookup('map', -4),
  jne('r0', 0, 'found'),
  exit(),
  label('found'),
  ldx('w', 'r0', 'r0', 0),
];

kernelTest(hashMap, 'a program looks up and updates a hash map', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 2 });
  assert.equal(run(read(1), map), 0);
  assert.equal(run([key(1), value(11), mapUpdate('map', -4, -8)], map), 0);
  assert.deepEqual(map.get(u32(1)), u32(11));
  assert.equal(run(read(1), map), 11);
  assert.equal(run([key(1), value(12), mapUpdate('map', -4, -8, BPF_NOEXIST)], map), -17);
  assert.equal(run([key(2), value(22), mapUpdate('map', -4, -8, BPF_EXIST)], map), -2);
  assert.equal(run([key(2), value(22), mapUpdate('map', -4, -8, BPF_NOEXIST)], map), 0);
  assert.equal(run([key(3), value(33), mapUpdate('map', -4, -8)], map), -7);
  assert.deepEqual(map.get(u32(1)), u32(11));
});

kernelTest(arrayMap, 'a program looks up and updates an array', () => {
  using map = createMap({ type: 'array', valueSize: 4, maxEntries: 2 });
  map.set(1, u32(5));
  assert.equal(run(read(1), map), 5);
  assert.equal(run(read(2), map), 0);
  assert.equal(run([key(0), value(7), mapUpdate('map', -4, -8)], map), 0);
  assert.deepEqual(map.get(0), u32(7));
});
