import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { btf as btfFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { type BtfTypeData, encodeBtf } from '../src/build/index.ts';
import { type Btf, type BtfType, parseBtf } from '../src/index.ts';

const typesOf = (btf: Btf, first: number): BtfType[] =>
  Array.from({ length: btf.count - first + 1 }, (_, i) => btf.type(first + i));

/** The section of types, with the offsets of names left out of account: strings that no type has are not written. */
const typeBytes = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(12, true);

kernelTest(btfFeature, 'writes what it read of the kernel and its modules', () => {
  const bytes = readFileSync('/sys/kernel/btf/vmlinux');
  const btf = parseBtf(bytes);
  const written = encodeBtf(typesOf(btf, 1) as BtfTypeData[]);
  assert.equal(typeBytes(written), typeBytes(bytes));
  const again = parseBtf(written);
  assert.equal(again.count, btf.count);
  // A prime step, in a time that a guest has.
  for (let id = 1; id <= btf.count; id += 13) assert.deepEqual(again.type(id), btf.type(id));

  for (const name of readdirSync('/sys/kernel/btf').filter((name) => name !== 'vmlinux')) {
    const module = parseBtf(readFileSync(`/sys/kernel/btf/${name}`), { base: btf });
    const types = typesOf(module, btf.count + 1);
    const copy = parseBtf(encodeBtf(types as BtfTypeData[], { base: btf }), { base: btf });
    assert.deepEqual(typesOf(copy, btf.count + 1), types, name);
  }
});
