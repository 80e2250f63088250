// What the reference's guide to iterators has besides its programs, which are in apps/examples.
import assert from 'node:assert/strict';
import { u64 } from '@bpf/btf/data';
import { jne, ldMapFd, mov, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf, loadProgram, openIterator } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  buildIterProgram,
  checkNull,
  checkNullAndExit,
  iterContext,
  iterReturn,
  loadCtxPtr,
  makeIterInfo,
  minimalTaskIterator,
  prologue,
  returnContinue,
  returnStop,
  seqWrite,
  taskLoadPid,
  taskNullCheckTemplate,
} from '../src/index.ts';
import { rows } from './kit.ts';

const task = iterator('task');

kernelTest(task, 'a program that returns 1, as in the guide, does not get on, which the reader sees', () => {
  const ctx = iterContext('task', 'r6');
  const guide = makeIterInfo('stop_at_pid', 'task', [
    prologue(ctx),
    loadCtxPtr(ctx, 'r7', 'task'),
    checkNullAndExit('r7'),
    taskLoadPid(kernelBtf(), 'r7', 'r8'),
    jne('r8', process.pid, 2),
    returnStop(),
    returnContinue(),
  ]);
  using pass = openIterator(guide);
  assert.throws(() => pass.read(), { code: 'RESTARTED' });
});

kernelTest(task, 'programs by their parts, and the templates', () => {
  const ctx = iterContext('task', 'r6');
  const built = buildIterProgram({
    ctx,
    meta: 'r8',
    body: [loadCtxPtr(ctx, 'r7', 'task'), checkNull('r7', 2), iterReturn('continue')],
    action: 'continue',
  });
  loadProgram(makeIterInfo('built', 'task', built)).close();
  using minimal = openIterator(makeIterInfo('minimal', 'task', minimalTaskIterator()));
  assert.equal(minimal.read().byteLength, 0);
  // A wide instruction in the body takes two slots, which the jump over it must count.
  using map = createMap({ type: 'array', valueSize: 4, maxEntries: 1 });
  const body = [ldMapFd('r1', 'map'), mov('r1', 7), stx('dw', 'r10', 'r1', -8), seqWrite(ctx, -8, 8)];
  const sevens = rows(makeIterInfo('template', 'task', taskNullCheckTemplate(body)), u64, { maps: { map } });
  assert.ok(sevens.length > 1 && sevens.every((seven) => seven === 7n));
});
