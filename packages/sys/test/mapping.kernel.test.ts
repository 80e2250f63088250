import assert from 'node:assert/strict';
import { mapMmap, pollRingbuf } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { mapCreate, mapLookupElem, mapUpdateElem, mmap, pageSize } from '../src/index.ts';

const key = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);

kernelTest(
  mapMmap,
  'an array map that is mapped shares its values',
  () => {
    using map = mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1000, flags: ['mmapable'] });
    const mapping = mmap({ fd: map, length: 8000, prot: 'read-write' });
    const { bytes } = mapping;
    bytes[999 * 8] = 7;
    const value = new Uint8Array(8);
    mapLookupElem(map, key(999), value);
    assert.deepEqual(value, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0));
    mapUpdateElem(map, key(0), new Uint8Array(8).fill(3));
    assert.deepEqual(bytes.subarray(0, 9), Uint8Array.of(3, 3, 3, 3, 3, 3, 3, 3, 0));
    mapping.unmap();
    assert.equal(bytes[0], 0);
    bytes[0] = 1;
    mapLookupElem(map, key(0), value);
    assert.equal(value[0], 3);
  },
  ['root', 'caps'],
);

kernelTest(mapMmap, 'maps that cannot be mapped say so', () => {
  using array = mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1 });
  using hash = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 });
  assert.throws(() => mmap({ fd: array, length: 8, prot: 'read' }), { syscall: 'mmap', code: 'EINVAL' });
  assert.throws(() => mmap({ fd: hash, length: 8, prot: 'read' }), { code: 'ENOTSUPP', message: /'mmapable'/ });
  using small = mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, flags: ['mmapable'] });
  assert.throws(() => mmap({ fd: small, length: pageSize() + 1, prot: 'read' }), { code: 'EINVAL' });
});

kernelTest(pollRingbuf, 'the pages of a ring buffer: one to write, the others to read', () => {
  using map = mapCreate({ type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: pageSize() });
  using consumer = mmap({ fd: map, length: pageSize(), prot: 'read-write' });
  using data = mmap({ fd: map, length: 3 * pageSize(), offset: pageSize(), prot: 'read' });
  assert.equal(consumer.bytes[0], 0);
  // The data is mapped twice in a row, so that no record is cut.
  assert.equal(data.bytes[3 * pageSize() - 1], 0);
  assert.throws(() => mmap({ fd: map, length: pageSize(), offset: pageSize(), prot: 'read-write' }), {
    code: 'EPERM',
    message: /map the others with prot 'read'/,
  });
});
