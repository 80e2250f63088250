import assert from 'node:assert/strict';
import { btf } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { readFuncIds } from '../../../tooling/uapi/func-ids.ts';
import { helperName } from '../src/helpers/index.ts';

kernelTest(btf, 'helpers have the numbers that this kernel gives them', () => {
  const [unspec, ...names] = readFuncIds();
  assert.equal(unspec, 'unspec');
  // The oldest kernel that is supported has 155.
  assert.ok(names.length >= 155, `${names.length} helpers in this kernel's BTF`);
  assert.deepEqual(
    names.map((name) => `bpf_${name}`),
    names.map((_, i) => helperName(i + 1)),
  );
});
