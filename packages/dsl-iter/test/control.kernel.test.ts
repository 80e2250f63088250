import assert from 'node:assert/strict';
import { u64 } from '@bpf/btf/data';
import { jne, label, ldMapValue, ldx, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  exitIfStopped,
  iterProgram,
  loadCtxPtr,
  loadMetaField,
  loadOrExit,
  returnStop,
  seqWrite,
  stopIteration,
} from '../src/index.ts';
import { rows } from './kit.ts';

const task = iterator('task');

kernelTest(
  task,
  'stopIteration ends this pass, and not the next',
  () => {
    using stop = createMap({ type: 'array', valueSize: 8, maxEntries: 1 });
    const numbers = iterProgram('task', 'stop', (ctx) => [
      exitIfStopped(ctx, 'stop'),
      loadOrExit(ctx, 'r7', 'task'),
      loadCtxPtr(ctx, 'r8', 'meta'),
      loadMetaField('r8', 'r9', 'seq_num'),
      stx('dw', 'r10', 'r9', -8),
      seqWrite('r8', -8, 8),
      jne('r9', 2, 'go on'),
      stopIteration(ctx, 'stop'),
      label('go on'),
    ]);
    for (let pass = 0; pass < 2; pass++) assert.deepEqual(rows(numbers, u64, { maps: { stop } }), [0n, 1n, 2n]);
  },
  ['root', 'caps'],
);

kernelTest(task, 'returnStop restarts the element, which loses what it wrote', () => {
  using restarts = createMap({ type: 'array', valueSize: 8, maxEntries: 1 });
  const again = iterProgram('task', 'again', (ctx) => [
    loadOrExit(ctx, 'r7', 'task'),
    [loadCtxPtr(ctx, 'r8', 'meta'), loadMetaField('r8', 'r9', 'seq_num')],
    stx('dw', 'r10', 'r9', -8),
    seqWrite('r8', -8, 8),
    jne('r9', 1, 'go on'),
    // Once, which a map remembers.
    ldMapValue('r1', 'restarts', 0),
    ldx('dw', 'r2', 'r1', 0),
    jne('r2', 0, 'go on'),
    st('dw', 'r1', 0, 1),
    returnStop(),
    label('go on'),
  ]);
  const numbers = rows(again, u64, { maps: { restarts } });
  assert.deepEqual(numbers, [...numbers.keys()].map(BigInt));
  assert.ok(numbers.length > 2);
});
