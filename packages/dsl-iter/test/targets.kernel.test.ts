import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { stx } from '@bpf/insn';
import { kernelBtf, loadProgram, openIterator } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  checkNullAndExit,
  type IterField,
  type IterTarget,
  iterContext,
  iterTargets,
  loadCtxPtr,
  loadMetaField,
  makeIterInfo,
  metaFields,
  prologue,
  prologueWithMeta,
  returnContinue,
  seqWrite,
} from '../src/index.ts';

for (const target of Object.keys(iterTargets) as IterTarget[]) {
  kernelTest(iterator(target), 'its context is what this kernel says, and every field can be loaded', () => {
    const btf = kernelBtf();
    const fields: Readonly<Record<string, number>> = iterTargets[target];
    for (const [field, offset] of Object.entries(fields))
      assert.equal(btf.member(`bpf_iter__${target}`, field).offset, offset, `offset of ${field}`);
    const ctx = iterContext(target, 'r6');
    const loads = Object.keys(fields).map((field) => loadCtxPtr(ctx, 'r7', field as IterField<typeof target>));
    loadProgram(makeIterInfo(`all_${target}`, target, [prologue(ctx), loads, returnContinue()])).close();
  });
}

kernelTest(iterator('task'), 'knows every target that this kernel offers, with all its fields', () => {
  for (const { name, fields } of kernelBtf().iterTargets()) {
    const known: Readonly<Record<string, number>> | undefined = iterTargets[name as IterTarget];
    assert.deepEqual(known, Object.fromEntries(fields.map((field) => [field.name, field.offset])), name);
  }
});

kernelTest(iterator('task'), 'meta has the fields that it should, and numbers the elements', () => {
  for (const [field, offset] of Object.entries(metaFields))
    assert.equal(kernelBtf().member('bpf_iter_meta', field).offset, offset, `offset of ${field}`);
  const ctx = iterContext('task', 'r6');
  using tasks = openIterator(
    makeIterInfo('numbers', 'task', [
      prologueWithMeta(ctx, 'r8'),
      loadCtxPtr(ctx, 'r7', 'task'),
      checkNullAndExit('r7'),
      loadMetaField('r8', 'r9', 'seq_num'),
      stx('dw', 'r10', 'r9', -8),
      seqWrite('r8', -8, 8),
      returnContinue(),
    ]),
  );
  const numbers = [...tasks.records(8)].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  assert.deepEqual(numbers, [...numbers.keys()]);
  assert.ok(numbers.length >= readdirSync('/proc/self/task').length);
});
