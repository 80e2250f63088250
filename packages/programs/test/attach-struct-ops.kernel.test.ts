import assert from 'node:assert/strict';
import { closeSync, readFileSync } from 'node:fs';
import { attachStructOps as structOpsFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { inNetns, loopbackUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, loopback, Socket, STREAM } from '../../../tooling/kernel-test/sockets.ts';
import { attachStructOps } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';

const PORT = 4000;
const NAME = `bpf_${process.pid}`;
const WINDOW = 2;

/** What the kernel says by itself: asking for one that is not there would make it look for a module. */
const available = (): boolean =>
  readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ').includes(NAME);

/** A connection that chooses the congestion control, if there is one. */
function connect(): void {
  if (!available()) return;
  inNetns(() => {
    loopbackUp();
    using server = new Socket(AF_INET, STREAM).bind(loopback(AF_INET, PORT)).listen();
    using client = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT)).congestion(NAME);
    client.send(Uint8Array.of(1));
    closeSync(server.accept());
  });
}

kernelTest(structOpsFeature, 'a congestion control of TCP is there, and used, until it is closed', () => {
  const program = (member: string) =>
    counting({ type: 'struct_ops', attachTo: `tcp_congestion_ops.${member}` }, { result: WINDOW });
  using init = program('init');
  using ssthresh = program('ssthresh');
  using undo = program('undo_cwnd');
  using avoid = program('cong_avoid');
  const members = { ssthresh: ssthresh.program, undo_cwnd: undo.program, cong_avoid: avoid.program };
  for (const how of [{}, { how: 'BPF_MAP_UPDATE_ELEM' }] as const) {
    assert.equal(available(), false);
    const link = attachStructOps('tcp_congestion_ops', { ...members, init: init.program, name: NAME }, how);
    assert.equal(link.info()?.type, link.how === 'BPF_LINK_CREATE' ? 'struct_ops' : undefined);
    assert.equal(available(), true);
    assertCounts(init, link, connect);
    assert.equal(available(), false);
  }
  assert.throws(() => attachStructOps('tcp_congestion_ops', { name: 'x'.repeat(16) }), {
    name: 'RangeError',
    message: 'tcp_congestion_ops.name has 17 bytes, and room for 16',
  });
  assert.throws(() => attachStructOps('tcp_congestion_ops', { nothing: 1 }), {
    code: 'NO_TARGET',
    message: /^struct tcp_congestion_ops has no member 'nothing'; its members are /,
  });
  assert.throws(() => attachStructOps('no_such_ops', {}), {
    message: "this kernel has no struct_ops 'no_such_ops' (no struct 'bpf_struct_ops_no_such_ops' in its BTF)",
  });
  // Without a name the kernel takes none.
  assert.throws(() => attachStructOps('tcp_congestion_ops', members), { code: 'EINVAL' });
});
