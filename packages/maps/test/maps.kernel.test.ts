import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { arrayMap, hashMap } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { createMap, MapError, openMap } from '../src/index.ts';

const u32 = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const toNumber = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);

kernelTest(hashMap, 'a HashMap behaves like a map of bytes', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 3, name: 'maps_test' });
  assert.equal(map.get(u32(1)), undefined);
  assert.equal(map.has(u32(1)), false);
  assert.equal(map.set(u32(1), u32(11)), true);
  assert.equal(map.set(u32(1), u32(12), 'noexist'), false);
  assert.equal(map.set(u32(2), u32(22), 'exist'), false);
  assert.deepEqual(map.get(u32(1)), u32(11));
  assert.equal(map.has(u32(1)), true);
  map.set(u32(2), u32(22));
  map.set(u32(3), u32(33));
  assert.throws(() => map.set(u32(4), u32(44)), { code: 'E2BIG' });
  assert.equal(map.delete(u32(2)), true);
  assert.equal(map.delete(u32(2)), false);
  assert.deepEqual([...map].map(([, value]) => toNumber(value)).sort(), [11, 33]);
  // What the kernel says of the descriptor agrees.
  const fdinfo = readFileSync(`/proc/self/fdinfo/${map.fd}`, 'utf8');
  assert.match(fdinfo, /map_type:\t1\nkey_size:\t4\nvalue_size:\t4\nmax_entries:\t3\n/);
});

kernelTest(hashMap, 'entries can be deleted while they are gone through', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 1000 });
  for (let n = 0; n < 1000; n++) map.set(u32(n), u32(n));
  const seen = new Set<number>();
  for (const [key] of map) {
    seen.add(toNumber(key));
    map.delete(key);
  }
  assert.equal(seen.size, 1000);
  assert.deepEqual([...map], []);
});

kernelTest(arrayMap, 'an ArrayMap has a length and knows its bounds', () => {
  using map = createMap({ type: 'array', valueSize: 4, maxEntries: 3, name: 'array_test' });
  assert.equal(map.length, 3);
  map.set(2, u32(7));
  assert.deepEqual(
    [...map].map(([index, value]) => [index, toNumber(value)]),
    [
      [0, 0],
      [1, 0],
      [2, 7],
    ],
  );
  for (const bad of [-1, 3, 0.5, 2 ** 32]) {
    const message = `index ${bad} is outside array map 'array_test', which has 3 values`;
    assert.throws(() => map.get(bad), { name: 'RangeError', message });
    assert.throws(() => map.set(bad, u32(0)), { name: 'RangeError', message });
  }
  assert.throws(() => map.set(0, new Uint8Array(3)), /the value has 3 bytes/);
});

kernelTest(hashMap, 'opening by id checks what the map is', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 3, name: 'open_me' });
  map.set(u32(1), new Uint8Array(8).fill(1));
  using again = openMap({ id: map.info.id, type: 'hash', keySize: 4, valueSize: 8 });
  assert.deepEqual(again.get(u32(1)), new Uint8Array(8).fill(1));
  assert.throws(
    () => openMap({ id: map.info.id, type: 'hash', valueSize: 16 }),
    (error) => error instanceof MapError && error.field === 'valueSize' && error.actual === 8,
  );
  assert.throws(() => openMap({ id: map.info.id, type: 'array' }), { message: /'open_me' has type hash, not array/ });
});
