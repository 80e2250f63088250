import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { struct, u32 } from '@bpf/btf/data';
import { add, call, exit, type Program as Instructions, jeq, label, lddw, ldx, mov, st, stx } from '@bpf/insn';
import { UnavailableError } from '@bpf/sys';
import {
  btf as btfFeature,
  fentry,
  fexit,
  iterator,
  progLoading,
  rawTracepoint,
  tpBtf,
  unprivileged,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  attach,
  kernelBtf,
  kernelBtfModules,
  loadProgram,
  openIterator,
  type ProgramSpec,
  VerifierError,
} from '../src/index.ts';

const SEQ_WRITE = 127;
const nothing: Instructions = [mov('r0', 0), exit()];

/** An iterator over tasks that writes what `body` left on the stack, for each task. */
function taskIterator(bytes: number, body: Instructions = [st('dw', 'r10', -8, 7)]): ProgramSpec {
  const instructions = [
    ldx('dw', 'r6', 'r1', 0), // meta
    ldx('dw', 'r7', 'r1', 8), // task
    jeq('r7', 0, 'out'),
    body,
    ldx('dw', 'r1', 'r6', 0), // seq
    mov('r2', 'r10'),
    add('r2', -8),
    mov('r3', bytes),
    call(SEQ_WRITE),
    label('out'),
    mov('r0', 0),
    exit(),
  ];
  return { name: 'test-tasks of many', type: 'tracing', attachType: 'trace_iter', attachTo: 'task', instructions };
}

kernelTest(progLoading, 'a refusal is a VerifierError', () => {
  assert.throws(
    () => loadProgram({ name: 'bad', type: 'socket_filter', instructions: [mov('r0', 'r2'), exit()] }),
    (error) =>
      error instanceof VerifierError &&
      /^program 'bad' was refused at slot 0: r0 = r2\nR2 !read_ok: /.test(error.message),
  );
});

kernelTest(
  iterator('task'),
  'reads records, however they are split',
  () => {
    using tasks = openIterator(taskIterator(8));
    assert.equal(tasks.program.closed, false);
    const records = [...tasks.records(8)];
    assert.ok(records.length > 1);
    for (const record of records) assert.deepEqual(record, Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0));
    assert.deepEqual(tasks.read(), new Uint8Array(0), 'the pass is over');
    using again = openIterator(taskIterator(8));
    assert.equal(again.read().byteLength % 8, 0);
    // No output is as long as this record.
    using short = openIterator(taskIterator(8));
    assert.throws(() => [...short.records(2 ** 24)], { code: 'RECORD_SPLIT' });
  },
  ['root', 'caps'],
);

kernelTest(iterator('task'), 'puts together records that two reads split', () => {
  // 1000 bytes for each task: the kernel's buffer of 32 KiB holds 32 of them, and the eleventh record of 3000 goes on
  // in the next read.
  const zero = Array.from({ length: 63 }, (_, i) => st('dw', 'r10', -8 * (i + 1), 7));
  const write = [ldx('dw', 'r1', 'r6', 0), mov('r2', 'r10'), add('r2', -504), mov('r3', 496), call(SEQ_WRITE)];
  const spec = taskIterator(8, [zero, write, write]);
  using chunks = openIterator(spec);
  assert.ok([...chunks.chunks()].length > 1, 'one read was enough');
  using tasks = openIterator(spec);
  const expected = Uint8Array.from({ length: 3000 }, (_, i) => (i % 8 === 0 ? 7 : 0));
  let seen = 0;
  try {
    for (const record of tasks.records(3000)) {
      assert.deepEqual(record, expected);
      seen++;
    }
  } catch (error) {
    // Tasks come in any number, so the last record may be cut.
    assert.equal((error as { code?: string }).code, 'RECORD_SPLIT');
  }
  assert.ok(seen >= 11, `${seen} records`);
});

kernelTest(iterator('task'), 'a name that the kernel would refuse is fitted', () => {
  using tasks = openIterator(taskIterator(8));
  const fdinfo = readFileSync(`/proc/self/fdinfo/${tasks.link.fd}`, 'utf8');
  assert.match(fdinfo, /link_type:\s+iter/);
  assert.match(readFileSync(`/proc/self/fdinfo/${tasks.program.fd}`, 'utf8'), /prog_type:\s+26/);
});

kernelTest(iterator('task'), 'a program that restarts an element ends in an error, not in a loop', () => {
  const restart: ProgramSpec = { ...taskIterator(8), instructions: [mov('r0', 1), exit()] };
  using tasks = openIterator(restart);
  assert.throws(() => tasks.read(), { code: 'RESTARTED', message: /returning 1 restarts the same element, return 0/ });
});

kernelTest(iterator('task'), "an element that is too large for the kernel's buffer ends in an error", () => {
  // 80 times 512 bytes for one element: more than 32 KiB. The verifier wants the stack written first.
  const zero = Array.from({ length: 64 }, (_, i) => st('dw', 'r10', -8 * (i + 1), 0));
  const write = [ldx('dw', 'r1', 'r6', 0), mov('r2', 'r10'), add('r2', -512), mov('r3', 512), call(SEQ_WRITE)];
  using tasks = openIterator(taskIterator(8, [zero, Array.from({ length: 80 }, () => write)]));
  assert.throws(() => tasks.read(), { code: 'ELEMENT_TOO_LARGE', message: /kernel's buffer of 32 KiB/ });
});

kernelTest(iterator('task'), 'what was made is released when the rest fails', () => {
  assert.throws(() => openIterator({ ...taskIterator(8), attachTo: 'tusk' }), { code: 'NO_TARGET' });
  // The link of this one needs a map: without it the kernel refuses it when the program is loaded already.
  const elements = { ...taskIterator(8), attachTo: 'bpf_map_elem', instructions: nothing };
  assert.throws(() => openIterator(elements), { code: 'EBADF', command: 'BPF_LINK_CREATE' });
  assert.throws(() => openIterator(taskIterator(8), { iterInfo: { map: { fd: 3 } } }), {
    message: "program 'test-tasks of many' iterates over 'task', which takes a task, not a map",
  });
});

kernelTest(iterator('task'), 'goes through the threads of one process, given its id', () => {
  const spec = taskIterator(4, [
    ldx('w', 'r1', 'r7', kernelBtf().member('task_struct', 'pid').offset),
    stx('w', 'r10', 'r1', -8),
  ]);
  const expected = readdirSync('/proc/self/task').map(Number);
  try {
    using tasks = openIterator(spec, { iterInfo: { task: { pid: process.pid } } });
    const pids = [...tasks.records(4)].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
    assert.deepEqual(pids.sort(), expected.sort());
  } catch (error) {
    // Before Linux 6.1 there is no such filter, and the kernel refuses the longer iter_info.
    assert.match(String(error), /EINVAL|E2BIG/);
    assert.equal(kernelBtf().hasMember('bpf_iter_link_info', 'task'), false);
  }
});

kernelTest(
  tpBtf,
  'a tp_btf program loads, attaches and detaches',
  () => {
    using program = loadProgram({
      name: 'tp',
      type: 'tracing',
      attachType: 'trace_raw_tp',
      attachTo: 'sched_process_fork',
      instructions: nothing,
    });
    using link = attach(program);
    assert.match(readFileSync(`/proc/self/fdinfo/${link.fd}`, 'utf8'), /link_type:\s+(tracing|raw_tracepoint)/);
  },
  ['root', 'caps'],
);

kernelTest(
  rawTracepoint,
  'a raw tracepoint program attaches by name',
  () => {
    using program = loadProgram({
      name: 'raw',
      type: 'raw_tracepoint',
      attachTo: 'sched_process_fork',
      instructions: nothing,
    });
    using link = attach(program);
    assert.equal(link.how, 'BPF_RAW_TRACEPOINT_OPEN');
    using wrong = loadProgram({
      name: 'raw',
      type: 'raw_tracepoint',
      attachTo: 'no_such_tracepoint',
      instructions: nothing,
    });
    assert.throws(() => attach(wrong), { code: 'ENOENT' });
    using filter = loadProgram({ name: 'filter', type: 'socket_filter', instructions: nothing });
    assert.throws(() => attach(filter), { code: 'NOT_ATTACHABLE' });
  },
  ['root', 'caps'],
);

for (const [feature, attachType] of [
  [fentry, 'trace_fentry'],
  [fexit, 'trace_fexit'],
] as const)
  kernelTest(feature, 'loads, attaches and detaches', () => {
    using program = loadProgram({
      name: 'f',
      type: 'tracing',
      attachType,
      attachTo: 'bpf_fentry_test1',
      instructions: nothing,
    });
    using link = attach(program);
    assert.match(readFileSync(`/proc/self/fdinfo/${link.fd}`, 'utf8'), /link_type:\s+(tracing|raw_tracepoint)/);
    assert.throws(
      () =>
        loadProgram({ name: 'f', type: 'tracing', attachType, attachTo: 'no_such_function', instructions: nothing }),
      { code: 'NO_TARGET' },
    );
  });

kernelTest(
  unprivileged,
  'loading a tracing program is an UnavailableError',
  () => {
    assert.throws(
      () => openIterator(taskIterator(8)),
      (error) => error instanceof UnavailableError && error.code === 'EPERM' && /needs CAP_BPF/.test(error.message),
    );
  },
  ['none'],
);

kernelTest(btfFeature, 'knows the types of modules, shared by all who ask', () => {
  assert.equal(kernelBtf(), kernelBtf('vmlinux'));
  for (const name of kernelBtfModules()) {
    assert.equal(kernelBtf(name), kernelBtf(name));
    assert.ok(kernelBtf(name).count > kernelBtf().count, name);
  }
  if (kernelBtfModules().includes('veth')) assert.notEqual(kernelBtf('veth').find('func', 'veth_xmit'), undefined);
  assert.throws(
    () => kernelBtf('no_such_module'),
    (error) =>
      error instanceof UnavailableError && /types of module 'no_such_module' cannot be read/.test(error.message),
  );
});

kernelTest(iterator('task'), 'output by schema, by lines, and without holding up the event loop', async () => {
  using records = openIterator(taskIterator(8));
  const values = [...records.records(struct({ low: u32, high: u32 }))];
  assert.ok(values.length > 1);
  assert.deepEqual(values[0], { low: 7, high: 0 });
  // "task\n", three bytes of the next line before the next element's.
  const text = taskIterator(8, [lddw('r1', 0x62_6161_0a6b_7361_74n), stx('dw', 'r10', 'r1', -8)]);
  using lines = openIterator(text);
  const [first, second] = lines.lines();
  assert.deepEqual([first, second], ['task', 'aabtask']);
  using stream = openIterator(taskIterator(8));
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  assert.ok(bytes >= 16 && bytes % 8 === 0, `${bytes} bytes`);
});
