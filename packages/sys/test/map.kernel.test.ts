import assert from 'node:assert/strict';
import { fstatSync, openSync } from 'node:fs';
import { arrayMap, hashMap } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  BPF_EXIST,
  BPF_NOEXIST,
  MapFd,
  mapCreate,
  mapDeleteElem,
  mapGetFdById,
  mapGetNextKey,
  mapLookupElem,
  mapUpdateElem,
  SysError,
} from '../src/index.ts';

const key = (n: number): Uint8Array => new Uint8Array(Uint32Array.of(n).buffer);
const value = (n: number): Uint8Array => new Uint8Array(BigUint64Array.of(BigInt(n)).buffer);

kernelTest(
  hashMap,
  'create, update, look up, delete',
  () => {
    using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 2, name: 'sys_test' });
    assert.deepEqual(
      { ...map.info, id: 0 },
      {
        type: 'hash',
        id: 0,
        keySize: 4,
        valueSize: 8,
        maxEntries: 2,
        flags: 0,
        name: 'sys_test',
        btfId: 0,
        btfKeyTypeId: 0,
        btfValueTypeId: 0,
        btfVmlinuxValueTypeId: 0,
        mapExtra: 0n,
        ifindex: 0,
      },
    );
    const out = new Uint8Array(8);
    assert.equal(mapLookupElem(map, key(1), out), false);
    assert.equal(mapUpdateElem(map, key(1), value(11)), true);
    assert.equal(mapLookupElem(map, key(1), out), true);
    assert.deepEqual(out, value(11));
    assert.equal(mapUpdateElem(map, key(1), value(12), BPF_NOEXIST), false);
    assert.equal(mapUpdateElem(map, key(2), value(12), BPF_EXIST), false);
    assert.equal(mapUpdateElem(map, key(1), value(13), BPF_EXIST), true);
    assert.equal(mapLookupElem(map, key(1), out), true);
    assert.deepEqual(out, value(13));
    assert.equal(mapUpdateElem(map, key(2), value(22), BPF_NOEXIST), true);
    assert.throws(() => mapUpdateElem(map, key(3), value(33)), {
      code: 'E2BIG',
      message: "bpf(BPF_MAP_UPDATE_ELEM) failed with E2BIG: hash map 'sys_test' is full: it has room for 2 entries",
    });
    assert.equal(mapDeleteElem(map, key(1)), true);
    assert.equal(mapDeleteElem(map, key(1)), false);
  },
  ['root', 'caps'],
);

kernelTest(hashMap, 'goes through the keys, and every element command still works in between', () => {
  using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 100 });
  for (let n = 0; n < 100; n++) mapUpdateElem(map, key(n), value(n));
  const seen = new Set<number>();
  const next = new Uint8Array(4);
  const out = new Uint8Array(8);
  for (let more = mapGetNextKey(map, undefined, next); more; more = mapGetNextKey(map, next.slice(), next)) {
    seen.add(new DataView(next.buffer).getUint32(0, true));
    assert.equal(mapLookupElem(map, next, out), true);
    assert.equal(new DataView(out.buffer).getUint32(0, true), new DataView(next.buffer).getUint32(0, true));
  }
  assert.equal(seen.size, 100);
});

kernelTest(
  arrayMap,
  'values are zero at first and cannot be deleted',
  () => {
    using map = mapCreate({ type: 'array', keySize: 4, valueSize: 3, maxEntries: 2 });
    const out = Uint8Array.of(9, 9, 9);
    assert.equal(mapLookupElem(map, key(1), out), true);
    assert.deepEqual(out, new Uint8Array(3));
    mapUpdateElem(map, key(1), Uint8Array.of(1, 2, 3));
    mapLookupElem(map, key(1), out);
    assert.deepEqual(out, Uint8Array.of(1, 2, 3));
    assert.equal(mapLookupElem(map, key(2), out), false);
    assert.throws(() => mapUpdateElem(map, key(2), out), /the index is beyond the 2 elements of array map/);
    assert.throws(() => mapDeleteElem(map, key(1)), { code: 'EINVAL' });
  },
  ['root', 'caps'],
);

kernelTest(hashMap, 'a key or value of another length never reaches the kernel', () => {
  using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 2, name: 'lengths' });
  const message = "the value has 4 bytes, and those of hash map 'lengths' have 8";
  assert.throws(() => mapLookupElem(map, key(1), new Uint8Array(4)), { name: 'RangeError', message });
  assert.throws(() => mapUpdateElem(map, key(1), new Uint8Array(4)), { name: 'RangeError', message });
  for (const bad of [new Uint8Array(0), new Uint8Array(3), new Uint8Array(5)]) {
    assert.throws(() => mapLookupElem(map, bad, value(0)), RangeError);
    assert.throws(() => mapDeleteElem(map, bad), RangeError);
    assert.throws(() => mapGetNextKey(map, bad, key(0)), RangeError);
    assert.throws(() => mapGetNextKey(map, key(0), bad), RangeError);
  }
});

kernelTest(hashMap, "opens a map by its id, with the kernel's own sizes", () => {
  using map = mapCreate({ type: 'hash', keySize: 16, valueSize: 32, maxEntries: 5, name: 'by_id' });
  using again = mapGetFdById(map.info.id);
  assert.deepEqual(again.info, map.info);
  assert.throws(
    () => mapGetFdById(0xffff_ffff),
    (error) => error instanceof SysError && error.code === 'ENOENT',
  );
});

kernelTest(hashMap, 'what is closed cannot be used, and its number is not closed twice', () => {
  const map = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 2 });
  map.close();
  map.close();
  assert.throws(() => mapLookupElem(map, key(1), value(0)), { name: 'TypeError', message: 'this MapFd is closed' });
  const given = mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 2 });
  using taken = new MapFd(given.disown());
  given.close();
  assert.equal(mapUpdateElem(taken, key(1), value(1)), true);
});

kernelTest(hashMap, 'a descriptor that is no map is refused, and closed', () => {
  const fd = openSync('/dev/null', 'r');
  assert.throws(() => new MapFd(fd), SysError);
  assert.throws(() => fstatSync(fd), { code: 'EBADF' });
});

kernelTest(hashMap, 'what the kernel refuses is a SysError', () => {
  assert.throws(() => mapCreate({ type: 'hash', keySize: 0, valueSize: 8, maxEntries: 2 }), {
    message: 'bpf(BPF_MAP_CREATE) failed with EINVAL: a map of type hash wants keys of at least one byte (keySize)',
  });
});

kernelTest(hashMap, 'survives five hundred maps: memory is freed once', () => {
  for (let n = 0; n < 500; n++) {
    using map = mapCreate({ type: 'hash', keySize: 4, valueSize: 64, maxEntries: 1 });
    mapUpdateElem(map, key(n), new Uint8Array(64).fill(n));
    const out = new Uint8Array(64);
    assert.ok(mapLookupElem(map, key(n), out));
    assert.equal(out[63], n & 0xff);
  }
});
