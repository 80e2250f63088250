// The structures of functions that kernels take beside tcp_congestion_ops.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { callKfunc, exit, ldx, mov } from '@bpf/insn';
import { ifIndex } from '@bpf/sys/netlink';
import { idInBtf, structOpsDummy, structOpsQdisc, structOpsSched } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addQdisc, addVeth, inNetns, interfaceUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_PACKET, RAW, Socket } from '../../../tooling/kernel-test/sockets.ts';
import { attachStructOps, loadProgram } from '../src/index.ts';
import { counting } from './attach-kit.ts';

const NAME = `bpf_${process.pid}`;

kernelTest(structOpsSched, 'a scheduler of tasks is there until it is closed', () => {
  // Only tasks of SCHED_EXT would be its own, and there are none.
  const SCX_OPS_SWITCH_PARTIAL = 8;
  const state = (): string => readFileSync('/sys/kernel/sched_ext/state', 'utf8').trim();
  using init = counting({ type: 'struct_ops', attachTo: 'sched_ext_ops.init' });
  using end = counting({ type: 'struct_ops', attachTo: 'sched_ext_ops.exit' });
  assert.equal(state(), 'disabled');
  const functions = { init: init.program, exit: end.program };
  using link = attachStructOps('sched_ext_ops', { ...functions, flags: SCX_OPS_SWITCH_PARTIAL, name: NAME });
  assert.deepEqual([link.how, link.info()?.type, state()], ['BPF_LINK_CREATE', 'struct_ops', 'enabled']);
  assert.equal(readFileSync('/sys/kernel/sched_ext/root/ops', 'utf8').trim(), NAME);
  assert.deepEqual([init.count, end.count], [1, 0]);
  link.close();
  assert.deepEqual([init.count, end.count, state()], [1, 1, 'disabled']);
  assert.equal(existsSync('/sys/kernel/sched_ext/root'), false);
});

kernelTest(structOpsQdisc, 'a scheduler of packets gets those of an interface', () => {
  const NET_XMIT_DROP = 1;
  const drop = [
    ldx('dw', 'r1', 'r6', 0), // skb
    ldx('dw', 'r2', 'r6', 16), // to_free
    callKfunc(idInBtf('func', 'bpf_qdisc_skb_drop')),
    mov('r0', NET_XMIT_DROP),
  ];
  const program = (member: string, result: number | typeof drop = 0) =>
    counting({ type: 'struct_ops', attachTo: `Qdisc_ops.${member}` }, { result });
  using enqueue = program('enqueue', drop);
  using dequeue = program('dequeue');
  using init = program('init');
  using reset = program('reset');
  using destroy = program('destroy');
  const functions = {
    enqueue: enqueue.program,
    dequeue: dequeue.program,
    init: init.program,
    reset: reset.program,
    destroy: destroy.program,
  };
  // Some are demanded.
  assert.throws(() => attachStructOps('Qdisc_ops', { enqueue: enqueue.program, id: NAME }), { code: 'EINVAL' });
  using link = attachStructOps('Qdisc_ops', { ...functions, id: NAME });
  inNetns(() => {
    addVeth('queue0', 'queue1');
    for (const name of ['queue0', 'queue1']) interfaceUp(name);
    addQdisc('queue0', NAME);
    assert.equal(init.count, 1);
    using sender = new Socket(AF_PACKET, RAW);
    const from = ifIndex('queue0');
    const place = Uint8Array.of(AF_PACKET, 0, 0x08, 0, from, from >> 8, 0, 0, ...new Uint8Array(12));
    const before = enqueue.count;
    const end = Date.now() + 5_000;
    // The kernel takes a moment to see that the wire is plugged in.
    do assert.throws(() => sender.send(new Uint8Array(64), place), /ENOBUFS/);
    while (enqueue.count === before && Date.now() < end);
    assert.ok(enqueue.count > before, 'no packet came');
    link.close();
    addVeth('queue2', 'queue3');
    assert.throws(() => addQdisc('queue2', NAME), { code: 'ENOENT' });
  });
});

kernelTest(structOpsDummy, 'what only tests of the kernel use is loaded, and not taken', () => {
  using program = loadProgram({
    name: 'dummy',
    type: 'struct_ops',
    attachTo: 'bpf_dummy_ops.test_1',
    instructions: [mov('r0', 0), exit()],
  });
  assert.throws(() => attachStructOps('bpf_dummy_ops', { test_1: program }), {
    name: 'SysError',
    // Before 6.4 what there is to say is of maps without links.
    code: /^(EOPNOTSUPP|EINVAL)$/,
  });
});
