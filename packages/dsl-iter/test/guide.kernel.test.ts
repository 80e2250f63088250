// The examples of the reference's guide to iterators, made right where the kernel is not as it says.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { s32, struct, u32, u64 } from '@bpf/btf/data';
import { add, jne, label, ldMapFd, mov, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { kernelBtf, loadProgram, openIterator } from '@bpf/programs';
import { mapGetNextId } from '@bpf/sys';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  allocStackBuffer,
  buildIterProgram,
  checkNull,
  checkNullAndExit,
  exitIfStopped,
  iterContext,
  iterReturn,
  loadCtxPtr,
  makeIterInfo,
  minimalTaskIterator,
  probeReadKernel,
  prologue,
  prologueWithMeta,
  returnContinue,
  returnStop,
  seqWrite,
  stopIteration,
  taskFieldOffset,
  taskLoadPid,
  taskNullCheckTemplate,
} from '../src/index.ts';
import { ids, lasting, rows } from './kit.ts';

const task = iterator('task');

kernelTest(task, 'task-dumper: a PID for each task', () => {
  const ctx = iterContext('task', 'r6');
  const dumper = makeIterInfo('task_dumper', 'task', [
    prologueWithMeta(ctx, 'r8'),
    loadCtxPtr(ctx, 'r7', 'task'),
    checkNullAndExit('r7'),
    allocStackBuffer('r9', -32, 32),
    // The guide reads the first bytes of the task, which are something else.
    add('r7', taskFieldOffset(kernelBtf(), 'pid')),
    probeReadKernel('r9', 4, 'r7'),
    seqWrite('r8', 'r9', 4),
    returnContinue(),
  ]);
  const pids = rows(dumper, s32);
  for (const tid of readdirSync('/proc/self/task')) assert.ok(pids.includes(Number(tid)), tid);
});

kernelTest(iterator('bpf_map'), 'map-lister: runs once for each map', () => {
  const ctx = iterContext('bpf_map', 'r6');
  const lister = makeIterInfo('map_lister', 'bpf_map', [
    prologueWithMeta(ctx, 'r8'),
    loadCtxPtr(ctx, 'r7', 'map'),
    checkNullAndExit('r7'),
    // The guide leaves out what to do with the map.
    [
      add('r7', kernelBtf().member('bpf_map', 'id').offset),
      allocStackBuffer('r9', -8, 8),
      probeReadKernel('r9', 4, 'r7'),
    ],
    seqWrite('r8', 'r9', 4),
    returnContinue(),
  ]);
  using map = createMap({ type: 'array', valueSize: 4, maxEntries: 1 });
  const { there, result } = lasting(
    () => ids(mapGetNextId),
    () => rows(lister, u32),
  );
  for (const id of [map.info.id, ...there]) assert.ok(result.includes(id), `map ${id}`);
});

kernelTest(iterator('bpf_map_elem'), 'map-elem-dumper: keys and values, both of which may be NULL', () => {
  const ctx = iterContext('bpf_map_elem', 'r6');
  const dumper = makeIterInfo('map_elem_dumper', 'bpf_map_elem', [
    prologueWithMeta(ctx, 'r8'),
    loadCtxPtr(ctx, 'r7', 'key'),
    checkNullAndExit('r7'),
    loadCtxPtr(ctx, 'r9', 'value'),
    checkNullAndExit('r9'), // which the guide leaves out, and the verifier wants
    seqWrite('r8', 'r7', 4),
    seqWrite('r8', 'r9', 8),
    returnContinue(),
  ]);
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 4 });
  for (const key of [1, 2]) map.set(key, BigInt(key * 100));
  const elements = rows(dumper, struct({ key: u32, value: u64 }, { packed: true }), { iterInfo: { map } });
  assert.deepEqual(
    elements.sort((a, b) => a.key - b.key),
    [1, 2].map((key) => ({ key, value: BigInt(key * 100) })),
  );
});

kernelTest(task, 'stop-at-pid: ends the pass, which the guide by returning 1 does not', () => {
  const ctx = iterContext('task', 'r6');
  const dumpUntil = (pid: number) =>
    makeIterInfo('stop_at_pid', 'task', [
      prologueWithMeta(ctx, 'r8'),
      exitIfStopped('r8', 'stop'),
      loadCtxPtr(ctx, 'r7', 'task'),
      checkNullAndExit('r7'),
      taskLoadPid(kernelBtf(), 'r7', 'r9'),
      stx('w', 'r10', 'r9', -4),
      seqWrite('r8', -4, 4),
      jne('r9', pid, 'not it'),
      stopIteration('r8', 'stop'),
      label('not it'),
      returnContinue(),
    ]);
  using stop = createMap({ type: 'array', valueSize: 8, maxEntries: 1 });
  assert.equal(rows(dumpUntil(process.pid), s32, { maps: { stop } }).at(-1), process.pid);

  // As it is in the guide, but for the PID and its offset: the reader sees that it does not get on.
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

kernelTest(task, 'built-bytecode, and the templates', () => {
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
