// What programs jump to, ask about or leave behind in maps: each seen by a program that runs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { u32, u64 } from '@bpf/btf/data';
import {
  add,
  addrSpaceCast,
  call,
  exit,
  jeq,
  jne,
  label,
  lddw,
  ldMapFd,
  ldMapValue,
  ldx,
  mov,
  st,
  stx,
} from '@bpf/insn';
import {
  Fd,
  fileOpen,
  linkCreate,
  mmap,
  O_RDONLY,
  PERF_COUNT_SW_CPU_CLOCK,
  pageSize,
  perfEventOpen,
  progTestRun,
  rawSyscall,
} from '@bpf/sys';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import { bpfSyscall, idInBtf, mapType } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { createMap, openMap } from '../src/index.ts';
import { load, runRaw } from './programs.ts';

const TAIL_CALL = 12;
const GET_STACKID = 27;
const CURRENT_TASK_UNDER_CGROUP = 37;
const PERF_EVENT_READ_VALUE = 55;
const TASK_STORAGE_GET = 156;
const GET_CURRENT_TASK_BTF = 158;
const ENOENT = -2;

kernelTest(bpfSyscall, 'a program jumps to what is in a prog_array, and goes on where nothing is', () => {
  using map = createMap({ type: 'prog_array', maxEntries: 2 });
  using seven = load('socket_filter', [mov('r0', 7), exit()]);
  using jump = load('socket_filter', [ldMapFd('r2', 'programs'), mov('r3', 1), call(TAIL_CALL), mov('r0', 1), exit()], {
    programs: map,
  });
  const run = (): number => progTestRun(jump, { data: new Uint8Array(64) }).retval;
  assert.equal(run(), 1);
  map.set(1, seven);
  assert.equal(run(), 7);
  assert.equal(map.delete(1), true);
  assert.equal(run(), 1);
});

kernelTest(
  mapType('cgroup_array', () => createMap({ type: 'cgroup_array', maxEntries: 1 })),
  'a program asks whether the process is in the cgroup of the map',
  () => {
    using map = createMap({ type: 'cgroup_array', maxEntries: 1 });
    using asks = load(
      'raw_tracepoint',
      [ldMapFd('r1', 'cgroups'), mov('r2', 0), call(CURRENT_TASK_UNDER_CGROUP), exit()],
      { cgroups: map },
    );
    assert.equal(runRaw(asks), -11, 'EAGAIN: nothing is there');
    withCgroup((cgroup) => {
      map.set(0, cgroup);
      assert.equal(runRaw(asks), 0);
      assert.equal(
        cgroup.inside(() => runRaw(asks)),
        1,
      );
      assert.equal(map.delete(0), true);
      assert.equal(map.delete(0), false);
      assert.equal(runRaw(asks), -11);
      assert.throws(() => map.set(0, map), { name: 'SysError', code: 'EBADF' });
    });
  },
);

kernelTest(
  mapType('perf_event_array', () => createMap({ type: 'perf_event_array', pages: 1 })),
  'a program reads an event that was put into the map',
  () => {
    using made = createMap({ type: 'perf_event_array', maxEntries: 1, pages: 1 });
    // Opened, it is an array of whoever's events.
    using map = openMap({ id: made.info.id, type: 'perf_event_array' });
    using reads = load(
      'raw_tracepoint',
      [
        ldMapFd('r1', 'events'),
        mov('r2', 0),
        mov('r3', 'r10'),
        add('r3', -24),
        mov('r4', 24),
        st('dw', 'r10', -24, 0),
        st('dw', 'r10', -16, 0),
        st('dw', 'r10', -8, 0),
        call(PERF_EVENT_READ_VALUE),
        jne('r0', 0, 'out'),
        ldx('dw', 'r0', 'r10', -24),
        jeq('r0', 0, 'out'),
        mov('r0', 1),
        label('out'),
        exit(),
      ],
      { events: map },
    );
    map.delete(0);
    assert.equal(runRaw(reads), ENOENT);
    using event = perfEventOpen({ type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, pid: 0, cpu: -1 });
    map.set(0, event);
    assert.equal(runRaw(reads), 1, 'time has passed');
    assert.equal(map.delete(0), true);
    assert.equal(map.delete(0), false);
    assert.equal(runRaw(reads), ENOENT);
  },
);

kernelTest(
  mapType('stack_trace', () => createMap({ type: 'stack_trace', maxEntries: 2 })),
  'a trace leads to who ran the program',
  () => {
    using map = createMap({ type: 'stack_trace', maxEntries: 4, depth: 20 });
    assert.equal(map.get(1), undefined);
    using takes = load('raw_tracepoint', [ldMapFd('r2', 'traces'), mov('r3', 0), call(GET_STACKID), exit()], {
      traces: map,
    });
    const id = runRaw(takes);
    assert.ok(id >= 0, `bpf_get_stackid: ${id}`);
    assert.deepEqual([...map.keys()], [id]);
    const trace = map.get(id) ?? assert.fail('there is no such trace');
    assert.ok(trace.length > 2 && trace.length <= 20, `${trace.length} frames`);
    // The kernel's own names: one of the frames is in the function of the test run.
    const [, hex] = readFileSync('/proc/kallsyms', 'latin1').match(/^(\w+) \w bpf_prog_test_run_raw_tp$/m) ?? [];
    const start = BigInt(`0x${hex}`);
    const inside = (address: bigint): boolean => address > start && address < start + 4096n;
    assert.ok(trace.some(inside), 'bpf_prog_test_run_raw_tp is not in the trace');
    assert.equal(map.delete(id), true);
    assert.equal(map.delete(id), false);
    assert.equal(map.get(id), undefined);
    assert.deepEqual([...map.keys()], []);
  },
);

const taskStorage = mapType('task_storage', () => createMap({ type: 'task_storage', value: u32 }));

/** A pidfd of this process. */
const openSelf = (): Fd => new Fd(Number(rawSyscall(434, process.pid, 0)));

kernelTest(taskStorage, 'a value of a process, by its pidfd', () => {
  using map = createMap({ type: 'task_storage', value: u64 });
  using owner = openSelf();
  using same = openSelf();
  assert.equal(map.get(owner), undefined);
  assert.equal(map.set(owner, 5n, 'exist'), false);
  assert.equal(map.set(owner, 5n), true);
  assert.equal(map.set(same, 6n, 'noexist'), false);
  assert.equal(map.get(same), 5n);
  assert.equal(map.delete(owner), true);
  assert.equal(map.delete(owner), false);
  using file = fileOpen('/proc/self/status', O_RDONLY);
  assert.throws(() => map.set(file, 1n), { name: 'SysError', code: 'EBADF' });
});

kernelTest(taskStorage, 'a program sees the value of the process that it runs in', () => {
  using map = createMap({ type: 'task_storage', value: u64 });
  using seen = createMap({ type: 'array', value: u64, maxEntries: 1 });
  using reads = load(
    'tracing',
    [
      call(GET_CURRENT_TASK_BTF),
      mov('r2', 'r0'),
      ldMapFd('r1', 'values'),
      mov('r3', 0),
      mov('r4', 0),
      call(TASK_STORAGE_GET),
      jeq('r0', 0, 'out'),
      ldx('dw', 'r1', 'r0', 0),
      ldMapValue('r2', 'seen', 0),
      stx('dw', 'r2', 'r1', 0),
      label('out'),
      mov('r0', 0),
      exit(),
    ],
    { values: map, seen },
    { expectedAttachType: 'trace_raw_tp', attachBtfId: idInBtf('typedef', 'btf_trace_sys_enter') },
  );
  using owner = openSelf();
  map.set(owner, 2n ** 40n);
  using _ = linkCreate({ prog: reads, attachType: 'trace_raw_tp' });
  rawSyscall(process.arch === 'x64' ? 110 : 173); // getppid, on this thread
  assert.equal(seen.get(0), 2n ** 40n);
});

kernelTest(
  mapType('cgrp_storage', () => createMap({ type: 'cgrp_storage', value: u64 })),
  'a value of a cgroup, by a descriptor of its directory',
  () => {
    using map = createMap({ type: 'cgrp_storage', value: u64 });
    withCgroup((cgroup) => {
      using same = fileOpen(cgroup.path, O_RDONLY);
      assert.equal(map.get(cgroup), undefined);
      assert.equal(map.set(cgroup, 5n, 'exist'), false);
      assert.equal(map.set(cgroup, 2n ** 40n), true);
      assert.equal(map.set(same, 6n, 'noexist'), false);
      assert.equal(map.get(same), 2n ** 40n);
      assert.equal(map.delete(same), true);
      assert.equal(map.delete(cgroup), false);
      assert.throws(() => map.set(map, 1n), { name: 'SysError', code: 'EBADF' });
    });
  },
);

kernelTest(
  mapType('arena', () => createMap({ type: 'arena', keySize: 0, valueSize: 0, maxEntries: 1, flags: ['mmapable'] })),
  'what is mapped is what a program reads and writes',
  () => {
    using map = createMap({ type: 'arena', keySize: 0, valueSize: 0, maxEntries: 1, flags: ['mmapable'] });
    using memory = mmap({ fd: map, length: pageSize(), prot: 'read-write' });
    const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset);
    view.setBigUint64(8, 41n, true);
    using adds = load(
      'syscall',
      [
        ldMapFd('r1', 'arena'), // the verifier takes the addresses of the one that is named
        lddw('r2', BigInt(memory.address)),
        addrSpaceCast('r2', 'r2', 0, 1),
        ldx('dw', 'r0', 'r2', 8),
        add('r0', 1),
        stx('dw', 'r2', 'r0', 8),
        mov('r0', 0),
        exit(),
      ],
      { arena: map },
      { flags: ['sleepable'] },
    );
    assert.equal(progTestRun(adds).retval, 0);
    assert.equal(view.getBigUint64(8, true), 42n);
  },
);
