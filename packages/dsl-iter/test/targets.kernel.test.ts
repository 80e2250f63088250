import assert from 'node:assert/strict';
import { allocStackBuffer, probeReadKernel, probeReadKernelStr, zeroStack } from '@bpf/dsl';
import { type Program as Instructions, jne, label, mov } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf, loadProgram, openIterator } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  buildIterProgram,
  checkNull,
  checkNullAndExit,
  exitIfStopped,
  type IterField,
  type IterTarget,
  iteratorTypes,
  iterContext,
  iterReturn,
  iterTargets,
  loadCtxPtr,
  loadMetaField,
  loadOrExit,
  makeIterInfo,
  metaFields,
  prologue,
  prologueWithMeta,
  returnContinue,
  returnStop,
  seqPrintf,
  seqWrite,
  stopIteration,
} from '../src/index.ts';

/** They want to be told what to go through. */
const wantInfo: readonly string[] = ['bpf_map_elem', 'bpf_sk_storage_map', 'sockmap', 'cgroup'];
const scalars: readonly string[] = ['fd', 'uid', 'bucket'];

/** A program that goes through every builder that does not need to know the target. */
function everything<Target extends IterTarget>(target: Target): Instructions {
  const ctx = iterContext(target, 'r6');
  const fields = Object.keys(iterTargets[target]) as IterField<Target>[];
  const element = fields.findLast((field) => !scalars.includes(field)) as IterField<Target>;
  return [
    prologueWithMeta(ctx, 'r8'),
    exitIfStopped(ctx, 'stop'),
    fields.map((field) => loadCtxPtr(ctx, 'r7', field)),
    loadOrExit(ctx, 'r7', element),
    checkNull('r7', 'nothing'),
    checkNullAndExit('r7'),
    zeroStack(-35, 19),
    allocStackBuffer('r9', -64, 32),
    probeReadKernel('r9', 8, 'r7'),
    probeReadKernelStr('r9', 16, 'r7'),
    [mov('r1', 'r7'), probeReadKernel(-64, 8, 'r1')],
    seqWrite('r8', 'r9', 8),
    seqWrite(ctx, -64, 8),
    [mov('r2', 8), seqWrite('r8', -64, 'r2')],
    seqPrintf('r8', 'nothing %%\n', [], -96),
    seqPrintf(
      ctx,
      '%d %u %x %lld %llu %llx %d %d %d %d %d %d\n',
      Array.from({ length: 12 }, (_, i) => i),
      -168,
    ),
    loadMetaField('r8', 'r1', 'seq_num'),
    jne('r1', 1, 'go on'),
    stopIteration('r8', 'stop'),
    label('go on'),
    iterReturn('continue'),
    label('nothing'),
    returnStop(),
  ];
}

for (const target of Object.keys(iterTargets) as IterTarget[]) {
  kernelTest(iterator(target), 'its context is what this kernel says, and every field can be loaded', () => {
    const btf = kernelBtf();
    const { contextStruct, attachFunc } = iteratorTypes[target];
    assert.ok(btf.find('func', attachFunc));
    const fields: Readonly<Record<string, number>> = iterTargets[target];
    for (const [field, offset] of Object.entries(fields))
      assert.equal(btf.member(contextStruct, field).offset, offset, `offset of ${field}`);
    const ctx = iterContext(target, 'r6');
    const loads = Object.keys(fields).map((field) => loadCtxPtr(ctx, 'r7', field as IterField<typeof target>));
    loadProgram(makeIterInfo(`all_${target}`, target, [prologue(ctx), loads, returnContinue()])).close();
  });

  kernelTest(
    iterator(target),
    'every builder passes its verifier, and where it can be, is run',
    () => {
      using stop = createMap({ type: 'array', valueSize: 8, maxEntries: 1 });
      const spec = makeIterInfo(`every_${target}`, target, everything(target));
      if (wantInfo.includes(target)) return loadProgram(spec, { maps: { stop } }).close();
      using pass = openIterator(spec, { maps: { stop } });
      const text = Buffer.from(pass.read()).toString('latin1');
      const lines = text.match(/nothing %\n0 1 2 3 4 5 6 7 8 9 10 11\n/g) ?? [];
      // It stops at the second element, if there are so many.
      assert.ok(lines.length <= 2, `${lines.length} elements`);
      assert.equal(text.length, lines.length * (24 + 'nothing %\n0 1 2 3 4 5 6 7 8 9 10 11\n'.length), text);
    },
    ['root', 'caps'],
  );
}

kernelTest(iterator('task'), 'knows every target that this kernel offers, with all its fields', () => {
  for (const { name, fields } of kernelBtf().iterTargets()) {
    const known: Readonly<Record<string, number>> | undefined = iterTargets[name as IterTarget];
    assert.deepEqual(known, Object.fromEntries(fields.map((field) => [field.name, field.offset])), name);
    assert.deepEqual(
      fields.filter(({ pointer }) => !pointer).map((field) => field.name),
      fields.map((field) => field.name).filter((field) => scalars.includes(field)),
    );
  }
});

kernelTest(iterator('task'), 'meta has the fields that it should', () => {
  for (const [field, offset] of Object.entries(metaFields))
    assert.equal(kernelBtf().member('bpf_iter_meta', field).offset, offset, `offset of ${field}`);
});

kernelTest(iterator('task'), 'a body may return by itself', () => {
  const ctx = iterContext('task', 'r6');
  const body = [loadOrExit(ctx, 'r7', 'task'), returnStop()];
  assert.throws(
    () => loadProgram(makeIterInfo('twice', 'task', [prologue(ctx), body, returnContinue()])),
    /unreachable insn/,
  );
  loadProgram(makeIterInfo('once', 'task', buildIterProgram({ ctx, body }))).close();
});
