import assert from 'node:assert/strict';
import { encodeBtf } from '@bpf/btf/build';
import { u32, u64 } from '@bpf/btf/data';
import { exit, type Program as Instructions, jeq, jne, label, ldx, mov, rsh, st } from '@bpf/insn';
import { type BpfMap, createMap, type IdArray, type MapOptions } from '@bpf/maps';
import { loadProgram } from '@bpf/programs';
import { btfLoad, type MapType, mapCreate, mapLookupElem, possibleCpus, progTestRun } from '@bpf/sys';
import { arrayMap, hashMap, helper, mapType } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  BPF_EXIST,
  BPF_F_CURRENT_CPU,
  BPF_F_LOCK,
  BPF_NOEXIST,
  BPF_RB_FORCE_WAKEUP,
  BPF_RB_NO_WAKEUP,
  mapDelete,
  mapDeletePtr,
  mapIncrement,
  mapLookup,
  mapLookupInner,
  mapLookupOrInit,
  mapLookupPercpu,
  mapLookupPtr,
  mapPeek,
  mapPop,
  mapPush,
  mapUpdate,
  mapUpdatePtr,
  perfEventOutput,
  ringbufDiscard,
  ringbufOutput,
  ringbufReserve,
  ringbufSubmit,
} from '../src/index.ts';

const feature = (options: MapOptions & { readonly type: MapType }) =>
  mapType(options.type, (): BpfMap => createMap(options));

/** Runs a program once, and returns its r0 as the kernel reports it: a signed 32-bit number. */
function run(
  instructions: Instructions,
  maps: Readonly<Record<string, { readonly fd: number }>>,
  cpu?: number,
): number {
  using program = loadProgram(
    { name: 'dsl_maps', type: 'socket_filter', instructions: [instructions, exit()] },
    { maps },
  );
  return progTestRun(program, { data: new Uint8Array(14), ...(cpu !== undefined && { cpu }) }).retval | 0;
}

const key = (n: number): Instructions => [st('w', 'r10', -4, n)];
const value = (n: number): Instructions => [st('w', 'r10', -8, n)];
/** The number that r0 points to, or -1000. */
const number: Instructions = [jne('r0', 0, 'found'), mov('r0', -1000), exit(), label('found'), ldx('w', 'r0', 'r0', 0)];
const address = (reg: 'r0' | 'r1' | 'r2' | 'r3' | 'r6', offset: number): Instructions => [
  mov(reg, 'r10'),
  // Not `add`, so that r10 - 4 is made in one place only.
  { kind: 'alu', op: 'add', bits: 64, dst: reg, src: offset },
];

kernelTest(hashMap, 'a program looks up, updates and deletes', () => {
  using map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 2 });
  const maps = { map };
  assert.equal(run([key(1), mapLookup('map', -4), number], maps), -1000);
  assert.equal(run([key(1), value(11), mapUpdate('map', -4, -8)], maps), 0);
  assert.equal(map.get(1), 11);
  assert.equal(run([key(1), mapLookup('map', -4), number], maps), 11);
  assert.equal(run([key(1), value(12), mapUpdate('map', -4, -8, BPF_NOEXIST)], maps), -17);
  assert.equal(run([key(2), value(22), mapUpdate('map', -4, -8, BPF_EXIST)], maps), -2);
  assert.equal(run([key(2), value(22), mapUpdate('map', -4, -8, BPF_NOEXIST)], maps), 0);
  assert.equal(run([key(3), value(33), mapUpdate('map', -4, -8)], maps), -7);
  assert.equal(run([key(3), mapDelete('map', -4)], maps), -2);
  assert.equal(run([key(2), mapDelete('map', -4)], maps), 0);
  assert.deepEqual([...map], [[1, 11]]);
  // A map by its descriptor.
  assert.equal(run([key(1), mapLookup(map.fd, -4), number], {}), 11);
});

kernelTest(hashMap, 'keys and values where any register points to', () => {
  using map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 4 });
  const maps = { map };
  for (const [n, reg] of (['r0', 'r1', 'r2', 'r3', 'r6'] as const).entries()) {
    assert.equal(
      run(
        [
          key(1),
          value(n),
          address(reg, -4),
          address(reg === 'r1' ? 'r2' : 'r1', -8),
          mapUpdatePtr('map', reg, reg === 'r1' ? 'r2' : 'r1'),
        ],
        maps,
      ),
      0,
    );
    assert.equal(map.get(1), n);
    assert.equal(run([key(1), address(reg, -4), mapLookupPtr('map', reg), number], maps), n);
    assert.equal(run([key(1), address(reg, -4), mapDeletePtr('map', reg)], maps), 0, reg);
    assert.equal(map.get(1), undefined);
  }
  assert.equal(
    run([key(1), value(5), address('r0', -4), address('r3', -8), mapUpdatePtr('map', 'r0', 'r3', BPF_EXIST)], maps),
    -2,
  );
});

kernelTest(hashMap, 'what an update returns is an int: its upper half need not be', () => {
  using map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 1 });
  const upper = run([key(1), value(1), mapUpdate('map', -4, -8, BPF_EXIST), rsh('r0', 32)], { map });
  assert.ok(upper === 0 || upper === -1, String(upper));
});

kernelTest(arrayMap, 'a program looks up and updates an array', () => {
  using map = createMap({ type: 'array', value: u32, maxEntries: 2 });
  const maps = { map };
  map.set(1, 5);
  assert.equal(run([key(1), mapLookup('map', -4), number], maps), 5);
  assert.equal(run([key(2), mapLookup('map', -4), number], maps), -1000);
  assert.equal(run([key(0), value(7), mapUpdate('map', -4, -8)], maps), 0);
  assert.equal(map.get(0), 7);
  assert.equal(run([key(0), mapDelete('map', -4)], maps), -22);
  assert.equal(run([key(0), value(7), mapUpdate('map', -4, -8, BPF_F_LOCK)], maps), -22, 'it has no lock');
});

kernelTest(hashMap, 'an update that holds the lock of the value leaves the lock alone', () => {
  using btf = btfLoad(
    encodeBtf([
      { kind: 'int', name: 'u32', size: 4, bits: 32, bitOffset: 0, encoding: 'unsigned' },
      {
        kind: 'struct',
        name: 'bpf_spin_lock',
        size: 4,
        members: [{ name: 'val', typeId: 1, bitOffset: 0, bitSize: 0 }],
      },
      {
        kind: 'struct',
        name: 'locked',
        size: 8,
        members: [
          { name: 'lock', typeId: 2, bitOffset: 0, bitSize: 0 },
          { name: 'n', typeId: 1, bitOffset: 32, bitSize: 0 },
        ],
      },
    ]),
  );
  using map = mapCreate({
    type: 'hash',
    keySize: 4,
    valueSize: 8,
    maxEntries: 1,
    btf,
    btfKeyTypeId: 1,
    btfValueTypeId: 3,
  });
  const set = [key(1), st('w', 'r10', -12, 9), st('w', 'r10', -16, -1), mapUpdate('map', -4, -16, BPF_F_LOCK), exit()];
  // Socket filters may not use such maps.
  using program = loadProgram({ name: 'lock', type: 'sched_cls', instructions: set }, { maps: { map } });
  for (let i = 0; i < 2; i++) assert.equal(progTestRun(program, { data: new Uint8Array(14) }).retval, 0);
  const found = new Uint8Array(8);
  assert.equal(mapLookupElem(map, Uint8Array.of(1, 0, 0, 0), found), true);
  assert.deepEqual([...new Uint32Array(found.buffer)], [0, 9]);
});

/** A map of counters, those per CPU with one for each. */
interface Counters extends Disposable {
  readonly fd: number;
  get(n: number): number | bigint | readonly (number | bigint)[] | undefined;
}

const counterTypes = ['hash', 'array', 'lru_hash', 'percpu_hash', 'percpu_array', 'lru_percpu_hash'] as const;
for (const type of counterTypes)
  for (const [size, bits, value] of [
    ['dw', 64, u64],
    ['w', 32, u32],
  ] as const) {
    const make = () =>
      createMap({ type, maxEntries: 8, value, ...(!type.endsWith('array') && { key: u32 }) } as MapOptions);
    kernelTest(mapType(type, make), `increments counters of ${bits / 8} bytes`, () => {
      using map = make() as unknown as Counters;
      const total = (n: number): bigint =>
        BigInt.asIntN(
          bits,
          [map.get(n) ?? 0].flat().reduce<bigint>((sum, one) => sum + BigInt(one), 0n),
        );
      const increment = (n: number, by?: number | 'r7') => {
        const counter = [mov('r7', 100), key(n), mapIncrement('map', -4, -16, by, size)];
        assert.equal(run([counter], { map }), 0);
      };
      increment(1);
      assert.equal(total(1), 1n);
      increment(1, 4);
      increment(1, 'r7');
      increment(2, 'r7');
      increment(2, -101);
      assert.deepEqual([total(1), total(2), total(3)], [105n, -1n, 0n]);
      // Twice in one program: what it jumps to is its own.
      assert.equal(
        run(
          [1, 2].map((by) => [key(4), mapIncrement('map', -4, -16, by, size)]),
          { map },
        ),
        0,
      );
      assert.equal(total(4), 3n);
    });
  }

kernelTest(hashMap, 'a counter that has no room says so', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 1 });
  assert.equal(run([key(1), mapIncrement('map', -4, -16)], { map }), 0);
  assert.equal(run([key(2), mapIncrement('map', -4, -16)], { map }), -7);
  using array = createMap({ type: 'array', value: u64, maxEntries: 1 });
  assert.equal(run([key(1), mapIncrement('map', -4, -16)], { map: array }), -7);
});

kernelTest(hashMap, 'a value is there, or created', () => {
  using map = createMap({ type: 'hash', key: u32, value: u32, maxEntries: 1 });
  const program = (n: number, init: number) => [key(n), value(init), mapLookupOrInit('map', -4, -8), number];
  assert.equal(run(program(1, 11), { map }), 11);
  assert.equal(run(program(1, 12), { map }), 11);
  assert.equal(map.get(1), 11);
  assert.equal(run(program(2, 22), { map }), -1000, 'full');
});

for (const type of ['queue', 'stack'] as const)
  kernelTest(feature({ type, value: u32, maxEntries: 2 }), 'a program pushes, peeks and pops', () => {
    using map = createMap({ type, value: u32, maxEntries: 2 });
    const maps = { map };
    const popped = [value(0), mapPop('map', -8), jne('r0', 0, 'none'), ldx('w', 'r0', 'r10', -8), label('none')];
    assert.equal(run(popped, maps), -2);
    assert.equal(run([value(1), mapPush('map', -8)], maps), 0);
    assert.equal(run([value(2), address('r6', -8), mapPush('map', 'r6')], maps), 0);
    assert.equal(run([value(3), mapPush('map', -8)], maps), -7, 'full');
    const last = type === 'stack';
    assert.equal(run([value(0), mapPeek('map', -8), ldx('w', 'r0', 'r10', -8)], maps), last ? 2 : 1);
    if (!last) assert.equal(run([value(3), mapPush('map', -8, BPF_EXIST)], maps), 0);
    assert.equal(run(popped, maps), 2);
    assert.equal(map.peek(), last ? 1 : 3);
  });

kernelTest(feature({ type: 'bloom_filter', value: u32, maxEntries: 8 }), 'a program asks a bloom filter', () => {
  using map = createMap({ type: 'bloom_filter', value: u32, maxEntries: 8 });
  assert.equal(run([value(1), mapPeek('map', -8)], { map }), -2);
  assert.equal(run([value(1), mapPush('map', -8)], { map }), 0);
  assert.equal(run([value(1), mapPeek('map', -8)], { map }), 0);
});

kernelTest(feature({ type: 'ringbuf', bytes: 4096 }), 'a program writes records', () => {
  using ring = createMap({ type: 'ringbuf', bytes: 4096, value: u64 });
  const maps = { ring };
  const record = (n: number) => st('dw', 'r10', -8, n);
  assert.equal(run([record(1), ringbufOutput('ring', -8, 8)], maps), 0);
  assert.equal(
    run([record(2), address('r2', -8), mov('r3', 8), ringbufOutput('ring', 'r2', 'r3', BPF_RB_FORCE_WAKEUP)], maps),
    0,
  );
  const reserve = (n: number, end: Instructions) => [
    ringbufReserve('ring', 8),
    jeq('r0', 0, 'full'),
    st('dw', 'r0', 0, n),
    end,
    mov('r0', 1),
    label('full'),
  ];
  assert.equal(run(reserve(3, ringbufSubmit('r0', BPF_RB_NO_WAKEUP)), maps), 1);
  assert.equal(run(reserve(4, [mov('r6', 'r0'), ringbufDiscard('r6')]), maps), 1);
  assert.equal(
    run([ringbufReserve('ring', 8192), jeq('r0', 0, 'full'), ringbufDiscard('r0'), mov('r0', 1), label('full')], maps),
    0,
  );
  assert.deepEqual(ring.records(), [1n, 2n, 3n]);
});

const perfEventArray = { type: 'perf_event_array', maxEntries: possibleCpus() } as const;
kernelTest(feature(perfEventArray), 'a program writes samples', () => {
  const [ctx, data]: Instructions[] = [[mov('r6', 'r1')], [st('dw', 'r10', -8, 7), st('w', 'r10', -12, 0)]];
  {
    using none = mapCreate({ type: 'perf_event_array', keySize: 4, valueSize: 4, maxEntries: 1 });
    assert.equal(run([ctx ?? [], data ?? [], perfEventOutput('r6', 'none', -12, 12, 0)], { none }), -2, 'no event');
  }
  using map = createMap(perfEventArray);
  assert.equal(run([ctx ?? [], data ?? [], perfEventOutput('r6', 'map', -12, 12)], { map }), 0);
  assert.equal(
    run([data ?? [], mov('r4', 'r10'), perfEventOutput('r1', 'map', -12, 12, BPF_F_CURRENT_CPU)], { map }),
    0,
  );
  const samples = map.records() as readonly { readonly data: Uint8Array }[];
  assert.deepEqual(
    samples.map(({ data }) => [...data.subarray(0, 12)]),
    Array(2).fill([0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0]),
  );
});

kernelTest(helper('map_lookup_percpu_elem', 'socket_filter'), 'a program reads the value of another CPU', () => {
  using map = createMap({ type: 'percpu_array', value: u32, maxEntries: 1 });
  map.set(
    0,
    Array.from({ length: possibleCpus() }, (_, cpu) => 100 + cpu),
  );
  for (let cpu = 0; cpu < possibleCpus() && cpu < 4; cpu++) {
    assert.equal(run([key(0), mapLookupPercpu('map', -4, cpu), number], { map }), 100 + cpu);
    assert.equal(run([mov('r3', cpu), key(0), mapLookupPercpu('map', -4, 'r3'), number], { map }), 100 + cpu);
  }
  assert.equal(run([key(0), mapLookupPercpu('map', -4, 9999), number], { map }), -1000);
});

for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
  const like = () => createMap({ type: 'array', value: u32, maxEntries: 2 });
  const options = { type, ...(type === 'hash_of_maps' && { key: u32 }), maxEntries: 2 };
  const make = (innerMap: BpfMap) => createMap({ ...options, innerMap } as MapOptions) as IdArray;
  const outerMap = mapType(type, () => {
    using inner = like();
    return make(inner);
  });
  kernelTest(outerMap, 'a program looks up in a map that is in a map', () => {
    using inner = like();
    using outer = make(inner);
    inner.set(1, 42);
    outer.set(1, inner);
    const program = (at: number, n: number) => [
      key(at),
      st('w', 'r10', -8, n),
      mapLookupInner('outer', -4, -8),
      number,
    ];
    assert.equal(run(program(1, 1), { outer }), 42);
    assert.equal(run(program(1, 2), { outer }), -1000, 'no such element');
    assert.equal(run(program(0, 1), { outer }), -1000, 'no such map');
  });
}
