import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants, getPriority, setPriority } from 'node:os';
import { mapLookup } from '@bpf/dsl-maps';
import {
  atomicAdd,
  call,
  exit,
  type Program as Instructions,
  jeq,
  jne,
  label,
  ldx,
  mov,
  rsh,
  st,
  stx,
} from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';
import { fentry, fexit, fmodRet, tpBtf } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { makeFentryProgramInfo, makeFexitProgramInfo, makeFmodRetProgramInfo, prologue } from '../src/index.ts';

const { EACCES } = constants.errno;
const u64 = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);

/** Stores r6 and r7 as the first two values of the array `seen`, r8 as the third, and counts in the fourth. */
const record: Instructions = [
  (['r6', 'r7', 'r8'] as const).map((reg, i) => [
    stx('dw', 'r10', reg, -16),
    st('w', 'r10', -4, i),
    mapLookup('seen', -4),
    jeq('r0', 0, 'out'),
    ldx('dw', 'r1', 'r10', -16),
    stx('dw', 'r0', 'r1', 0),
  ]),
  st('w', 'r10', -4, 3),
  mapLookup('seen', -4),
  jeq('r0', 0, 'out'),
  mov('r1', 1),
  atomicAdd('dw', 'r0', 'r1', 0),
  label('out'),
  mov('r0', 0),
  exit(),
];

kernelTest(
  fentry,
  'reads both arguments and counts the calls',
  () => {
    using seen = createMap({ type: 'array', valueSize: 8, maxEntries: 4 });
    const info = makeFentryProgramInfo('args', 'bpf_fentry_test2', [
      prologue([
        [0, 'r6'],
        [1, 'r7'],
      ]),
      mov('r8', 0),
      record,
    ]);
    using program = loadProgram(info, { maps: { seen } });
    using link = attach(program);
    // The kernel calls bpf_fentry_test2(2, 3) when a fentry program is run by BPF_PROG_TEST_RUN.
    progTestRun(program);
    progTestRun(program);
    // Both parameters are narrower than a slot (int, u64): the upper half of the first is undefined.
    assert.equal(u64(seen.get(0)) & 0xffff_ffffn, 2n);
    assert.equal(u64(seen.get(1)), 3n);
    assert.equal(u64(seen.get(3)), 2n);
    link.close();
    progTestRun(program);
    assert.equal(u64(seen.get(3)), 2n, 'not counted once detached');
  },
  ['root', 'caps'],
);

kernelTest(
  fexit,
  'reads both arguments and the return value',
  () => {
    using seen = createMap({ type: 'array', valueSize: 8, maxEntries: 4 });
    const info = makeFexitProgramInfo('ret', 'bpf_fentry_test2', [
      prologue([
        [0, 'r6'],
        [1, 'r7'],
        [2, 'r8'],
      ]),
      record,
    ]);
    using program = loadProgram(info, { maps: { seen } });
    using _ = attach(program);
    progTestRun(program);
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => u64(seen.get(i)) & 0xffff_ffffn),
      [2n, 3n, 5n, 1n],
    );
  },
  ['root', 'caps'],
);

kernelTest(
  fmodRet,
  'replaces the return value of a function that allows it',
  () => {
    // int security_task_setnice(struct task_struct *p, int nice): what it returns other than 0 fails setpriority(2).
    using seen = createMap({ type: 'array', valueSize: 8, maxEntries: 4 });
    const instructions: Instructions = [
      prologue([
        [0, 'r8'],
        [1, 'r7'],
      ]),
      call(14), // bpf_get_current_pid_tgid
      rsh('r0', 32),
      jne('r0', process.pid, 'out'),
      mov('r6', 0),
      mov('r8', 0),
      record.slice(0, -3), // without its label, return value and exit
      mov('r0', -EACCES),
      exit(),
      label('out'),
      mov('r0', 0),
      exit(),
    ];
    using program = loadProgram(makeFmodRetProgramInfo('modify', 'security_task_setnice', instructions), {
      maps: { seen },
    });
    {
      using _ = attach(program);
      assert.throws(() => setPriority(0, 7), /EACCES/);
    }
    assert.notEqual(getPriority(), 7);
    assert.deepEqual([u64(seen.get(1)) & 0xffff_ffffn, u64(seen.get(3))], [7n, 1n]);
    setPriority(0, getPriority()); // detached: allowed again
  },
  ['root', 'caps'],
);

kernelTest(tpBtf, 'a tp_btf program finds its arguments in the same array', () => {
  // sched_process_fork(struct task_struct *parent, struct task_struct *child)
  using seen = createMap({ type: 'array', valueSize: 8, maxEntries: 4 });
  const pid = kernelBtf().member('task_struct', 'pid').offset;
  const tgid = kernelBtf().member('task_struct', 'tgid').offset;
  const instructions: Instructions = [
    prologue([
      [0, 'r6'],
      [1, 'r7'],
    ]),
    call(14), // bpf_get_current_pid_tgid
    rsh('r0', 32),
    jne('r0', process.pid, 'out'),
    ldx('w', 'r6', 'r6', tgid),
    ldx('w', 'r7', 'r7', pid),
    mov('r8', 0),
    record,
  ];
  using program = loadProgram(
    { name: 'forks', type: 'tracing', attachType: 'trace_raw_tp', attachTo: 'sched_process_fork', instructions },
    { maps: { seen } },
  );
  using _ = attach(program);
  const child = spawnSync('/bin/sh', ['-c', 'exit 7']);
  assert.equal(child.status, 7);
  assert.equal(u64(seen.get(0)), BigInt(process.pid));
  assert.equal(u64(seen.get(1)), BigInt(child.pid));
  assert.equal(u64(seen.get(3)), 1n);
});
