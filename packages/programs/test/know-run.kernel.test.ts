import assert from 'node:assert/strict';
import { add, call, exit, type Program as Instructions, ldx, mov, stx } from '@bpf/insn';
import { kernelAtLeast, type ProgType, progTestRun, readMachine, SysError, UnavailableError } from '@bpf/sys';
import {
  fentry,
  knowRun,
  knowRunFmodRet,
  knowRunNetfilter,
  knowRunSyscall,
  knowStats,
  tpBtf,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { attach, loadProgram, type Program, type ProgramSpec, runProgram, watchRuns } from '../src/index.ts';
import { progTypeNames, progTypes } from '../src/know/minimal.ts';
import { runRules } from '../src/know/run.ts';

const { release } = readMachine();
const load = (
  type: ProgType,
  instructions: Instructions = [mov('r0', 0), exit()],
  more: Partial<ProgramSpec> = {},
): Program => loadProgram({ name: 'run', type, instructions, ...more });
const zeros = (length: number): Uint8Array => new Uint8Array(length);
/** An Ethernet frame with an IPv4 packet. */
const frame = Uint8Array.from({ length: 64 }, (_, i) => ({ 12: 8, 13: 0, 14: 0x45, 17: 50, 22: 64, 23: 17 })[i] ?? 0);
const refused = (run: () => void, codes: readonly string[]): void =>
  assert.throws(run, (error) => error instanceof SysError && codes.includes(error.code), codes.join());

const skb = ['socket_filter', 'sched_cls', 'sched_act', 'cgroup_skb', 'lwt_in', 'lwt_out', 'lwt_xmit'] as const;
for (const type of [...skb, 'flow_dissector'] as const)
  kernelTest(knowRun, `${type}: a packet, repeated, with a context; no CPU, nothing shorter than a header`, () => {
    using program = load(type);
    // Linux 5.10 said of a flow dissector whether it was content: 1.
    const zero = type === 'flow_dissector' && !kernelAtLeast(release, 5, 18) ? [0, 1] : [0];
    assert.ok(zero.includes(runProgram(program, { data: frame, repeat: 3 }).retval));
    // Only programs of tc see the Ethernet header; of others, it comes back as zeros.
    const header = type.startsWith('sched_') ? 0 : 14;
    if (type !== 'flow_dissector')
      assert.deepEqual(
        runProgram(program, { data: frame }).data,
        frame.map((byte, i) => (i < header ? 0 : byte)),
      );
    const ctx = zeros(type === 'flow_dissector' ? 56 : 192);
    assert.ok(zero.includes(runProgram(program, { data: zeros(14), ctx }).retval));
    for (const [options, message] of [
      [{}, /wants a packet \(data\)/],
      [{ data: zeros(13) }, /has 13 bytes; a \w+ wants at least 14/],
      [{ data: frame, cpu: 0 }, /takes no cpu when it is run; data, dataSizeOut, ctx, ctxSizeOut, repeat it does/],
      [{ data: frame, liveFrames: {} }, /takes no liveFrames/],
    ] as const) {
      assert.throws(() => runProgram(program, options), { name: 'RangeError', message });
      // So says the kernel.
      refused(() => progTestRun(program, options), ['EINVAL']);
    }
  });

kernelTest(knowRun, 'sched_cls: the context goes in and comes out', () => {
  using program = load('sched_cls', [ldx('w', 'r0', 'r1', 8), mov('r2', 9), stx('w', 'r1', 'r2', 8), exit()]);
  const ctx = zeros(192);
  ctx[8] = 5; // mark
  const { retval, ctx: out, duration } = runProgram(program, { data: frame, ctx, ctxSizeOut: 192, repeat: 2 });
  // The second run saw what the first left.
  assert.equal(retval, 9);
  assert.equal(out[8], 9);
  assert.equal(runProgram(program, { data: frame, ctx }).retval, 5);
  assert.ok(duration >= 0);
});

kernelTest(knowRun, 'xdp: a packet; a context since 5.15, real frames since 5.18', () => {
  using program = load('xdp', [mov('r0', 1), exit()]);
  assert.equal(runProgram(program, { data: frame, repeat: 2 }).retval, 1);
  assert.throws(() => runProgram(program), { name: 'RangeError', message: /wants a packet/ });
  // To Linux 5.10, no packet is a packet too.
  if (kernelAtLeast(release, 5, 18)) refused(() => progTestRun(program), ['EINVAL']);
  assert.throws(() => runProgram(program, { data: frame, cpu: 0 }), RangeError);
  const ctx = zeros(24);
  ctx[4] = frame.length; // data_end
  const withCtx = (): unknown => runProgram(program, { data: frame, ctx, ctxSizeOut: 24 });
  if (kernelAtLeast(release, 5, 15)) withCtx();
  else {
    assert.throws(withCtx, { name: 'UnavailableError', message: /with ctx need Linux 5.15/ });
    refused(() => progTestRun(program, { data: frame, ctx }), ['EINVAL']);
  }
  const live = { data: frame, repeat: 2, liveFrames: { batchSize: 2 } };
  if (kernelAtLeast(release, 5, 18)) runProgram(program, live);
  else {
    assert.throws(() => runProgram(program, live), { message: /with liveFrames need Linux 5.18/ });
    assert.throws(() => progTestRun(program, live), SysError);
  }
});

kernelTest(knowRun, 'raw_tracepoint: arguments and a CPU; no packet, not repeated', () => {
  using program = load('raw_tracepoint', [ldx('dw', 'r0', 'r1', 8), exit()]);
  const ctx = zeros(16);
  ctx[8] = 42;
  assert.equal(runProgram(program, { ctx, cpu: 0 }).retval, 42);
  for (const [options, message] of [
    [{ ctx, data: frame }, /takes no data when it is run; ctx, cpu it does/],
    [{ ctx, repeat: 2 }, /takes no repeat/],
    [{ ctx, ctxSizeOut: 16 }, /takes no ctxSizeOut/],
  ] as const) {
    assert.throws(() => runProgram(program, options), { name: 'RangeError', message });
    refused(() => progTestRun(program, options), ['EINVAL']);
  }
});

kernelTest(knowRun, 'sk_lookup: a context since 5.13', () => {
  using program = load('sk_lookup', [mov('r0', 1), exit()], { attachType: 'sk_lookup' });
  const ctx = zeros(72);
  ctx[8] = 2; // family: AF_INET
  ctx[12] = 6; // protocol: TCP
  // Debian's 5.10 has it too, from a stable release.
  try {
    assert.equal(runProgram(program, { ctx, repeat: 2 }).retval, 1);
  } catch (error) {
    assert.match(String(error), /need Linux 5\.13/);
    return;
  }
  assert.throws(() => runProgram(program), { message: /wants a context \(ctx\)/ });
  refused(() => progTestRun(program), ['EINVAL']);
  assert.throws(() => runProgram(program, { ctx, data: frame }), RangeError);
  refused(() => progTestRun(program, { ctx, data: frame }), ['EINVAL']);
});

kernelTest(knowRunSyscall, 'syscall: a context that comes back, and nothing else', () => {
  using program = load(
    'syscall',
    [ldx('w', 'r2', 'r1', 0), add('r2', 1), stx('w', 'r1', 'r2', 4), mov('r0', 7), exit()],
    { flags: ['sleepable'] },
  );
  const ctx = Uint8Array.of(41, 0, 0, 0, 0, 0, 0, 0);
  const { retval, ctx: out } = runProgram(program, { ctx });
  assert.equal(retval, 7);
  assert.deepEqual(out, Uint8Array.of(41, 0, 0, 0, 42, 0, 0, 0));
  // It wants all that the program reads.
  refused(() => runProgram(program, { ctx: zeros(4) }), ['EINVAL']);
  assert.throws(() => runProgram(program, { ctx, repeat: 2 }), { name: 'RangeError', message: /takes no repeat/ });
  refused(() => progTestRun(program, { ctx, repeat: 2 }), ['EINVAL']);
  using empty = load('syscall', [mov('r0', 3), exit()], { flags: ['sleepable'] });
  assert.equal(runProgram(empty).retval, 3);
});

kernelTest(knowRunNetfilter, 'netfilter: a packet with more than its Ethernet header', () => {
  using program = load('netfilter', [mov('r0', 1), exit()], { attachType: 'netfilter' });
  assert.equal(runProgram(program, { data: frame, repeat: 2 }).retval, 1);
  refused(() => runProgram(program, { data: zeros(14) }), ['EINVAL']);
  assert.throws(() => runProgram(program, { data: zeros(13) }), RangeError);
});

for (const [feature, attachType, attachTo] of [
  [fentry, 'trace_fentry', 'bpf_fentry_test1'],
  [knowRunFmodRet, 'modify_return', 'bpf_modify_return_test'],
] as const)
  kernelTest(feature, 'know/run: the kernel calls its own functions, and the program there runs', () => {
    using program = load('tracing', undefined, { attachType, attachTo });
    using _link = attach(program);
    using stats = watchRuns(program);
    runProgram(program);
    assert.equal(stats.read().count, 1n);
    assert.throws(() => runProgram(program, { data: frame }), {
      message: /takes no data when it is run; nothing it does/,
    });
  });

kernelTest(tpBtf, 'know/run: tracing programs on other things than functions cannot be run', () => {
  using program = load('tracing', undefined, { attachType: 'trace_raw_tp', attachTo: 'sched_process_fork' });
  assert.throws(() => runProgram(program), { code: 'NOT_RUNNABLE', message: /'run', a trace_raw_tp, cannot be run/ });
  refused(() => progTestRun(program), ['EINVAL', 'EFAULT', 'ENOTSUPP']);
});

kernelTest(knowRun, 'the types that cannot be run are those of which the kernel says so', () => {
  let tried = 0;
  for (const type of progTypeNames) {
    const { attachType, flags, wantsTarget } = progTypes[type];
    if (wantsTarget || runRules[type]) continue;
    let program: Program;
    try {
      program = load(type, undefined, { ...(attachType && { attachType }), ...(flags && { flags }) });
    } catch {
      continue; // not in this kernel
    }
    tried++;
    try {
      assert.throws(() => runProgram(program), { code: 'NOT_RUNNABLE' });
      // Linux 5.10 could, and it was taken away.
      if (type === 'lwt_seg6local' && !kernelAtLeast(release, 6, 1)) continue;
      assert.throws(() => progTestRun(program, { data: frame }), { code: 'ENOTSUPP' }, type);
    } finally {
      program.close();
    }
  }
  assert.ok(tried > 10);
});

kernelTest(knowStats, 'runs are counted between two points', () => {
  using program = load('raw_tracepoint', [call(5), mov('r0', 0), exit()]);
  runProgram(program);
  const stats = watchRuns(program);
  assert.deepEqual(stats.read(), { count: 0n, time: 0n, mean: 0, missed: 0n });
  for (let i = 0; i < 5; i++) runProgram(program);
  const { count, time, mean } = stats.read();
  assert.equal(count, 5n);
  assert.ok(time > 0n && mean === Number(time) / 5);
  stats.close();
  stats.close();
  runProgram(program);
  assert.throws(() => stats.read(), TypeError);
});

kernelTest(
  knowStats,
  'counting needs CAP_SYS_ADMIN',
  () => {
    using program = load('raw_tracepoint');
    assert.throws(() => watchRuns(program), UnavailableError);
  },
  ['caps'],
);
