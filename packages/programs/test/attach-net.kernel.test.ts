import assert from 'node:assert/strict';
import { ifIndex, tcFilterList, xdpQuery } from '@bpf/sys/netlink';
import {
  attachNetfilter as netfilterFeature,
  attachNetkit as netkitFeature,
  attachNetns as netnsFeature,
  attachTc as tcFeature,
  attachXdp as xdpFeature,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addNetkit, addVeth, inNetns, loopbackUp, Wire } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, AF_PACKET, DGRAM, loopback, RAW, Socket } from '../../../tooling/kernel-test/sockets.ts';
import { attachNetfilter, attachNetkit, attachNetns, attachTc, attachXdp } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';

const XDP_PASS = 2;
const TC_ACT_OK = 0;
const NF_ACCEPT = 1;
const NOWHERE = { ifindex: 0x7fff_fff0 };

/** A packet goes over the wire, whole. */
function cross(wire: Wire): void {
  wire.send();
  const end = Date.now() + 5_000;
  while (!wire.arrives()) assert.ok(Date.now() < end, 'the packet did not arrive');
}

kernelTest(xdpFeature, 'counts what comes in, in each mode, by a link and by netlink', () => {
  inNetns(() => {
    using wire = new Wire();
    using counter = counting({ type: 'xdp', attachType: 'xdp' }, { result: XDP_PASS });
    for (const mode of ['skb', 'drv', undefined] as const)
      for (const how of ['netlink', undefined] as const) {
        const place = { ...(mode === 'drv' ? { interface: 'wire1' } : { ifindex: wire.to }), ...(mode && { mode }) };
        const link = attachXdp(counter.program, { ...place, ...(how && { how }) });
        assert.equal(xdpQuery(wire.to).mode, mode ?? 'drv');
        assert.equal(link.how, how ?? 'BPF_LINK_CREATE');
        assertCounts(counter, link, () => cross(wire), `xdp ${mode}`, mode ? 'close' : 'detach');
        assert.equal(xdpQuery(wire.to).mode, 'none');
      }
  });
});

kernelTest(xdpFeature, 'a program is replaced in one step, and that of another stays', () => {
  inNetns(() => {
    using wire = new Wire();
    using first = counting({ type: 'xdp', attachType: 'xdp' }, { result: XDP_PASS });
    using second = counting({ type: 'xdp', attachType: 'xdp' }, { result: XDP_PASS });
    for (const how of ['netlink', undefined] as const) {
      const link = attachXdp(first.program, { ifindex: wire.to, mode: 'skb', ...(how && { how }) });
      assert.throws(() => attachXdp(second.program, { ifindex: wire.to, mode: 'skb' }), { code: 'EBUSY' });
      link.update(second.program);
      assertCounts(second, link, () => cross(wire));
    }
    assert.equal(first.count, 0);
    assert.throws(() => attachXdp(first.program, NOWHERE), {
      code: 'ENODEV',
      message: /there is no interface 21474836/,
    });
    assert.throws(() => attachXdp(first.program, { interface: 'nowhere' }), {
      message: /no interface 'nowhere' in this/,
    });
  });
});

kernelTest(tcFeature, 'counts what comes in and goes out, by tcx or a filter', () => {
  inNetns(() => {
    using wire = new Wire();
    using counter = counting({ type: 'sched_cls' }, { result: TC_ACT_OK });
    for (const [direction, ifindex] of [
      ['ingress', wire.to],
      ['egress', wire.from],
    ] as const)
      for (const how of ['netlink', undefined] as const) {
        const link = attachTc(counter.program, { ifindex, direction, ...(how && { how }) });
        assert.equal(tcFilterList(ifindex, direction).length, link.how === 'netlink' ? 1 : 0);
        assert.equal(link.info()?.type, link.how === 'netlink' ? undefined : 'tcx');
        assertCounts(counter, link, () => cross(wire), `tc ${direction}`, direction === 'egress' ? 'detach' : 'close');
        assert.equal(tcFilterList(ifindex, direction).length, 0);
      }
    assert.throws(() => attachTc(counter.program, { ...NOWHERE, direction: 'ingress' }), { code: 'ENODEV' });
  });
});

kernelTest(tcFeature, 'the order of programs is kept, where the kernel has one', () => {
  inNetns(() => {
    using wire = new Wire();
    const place = { ifindex: wire.to, direction: 'ingress' } as const;
    const TC_ACT_SHOT = 2;
    using pass = counting({ type: 'sched_cls' }, { result: -1 }); // TCX_NEXT
    using drop = counting({ type: 'sched_cls' }, { result: TC_ACT_SHOT });
    using dropLink = attachTc(drop.program, place);
    if (dropLink.how === 'netlink') {
      assert.throws(() => attachTc(pass.program, { ...place, order: { before: 'all' } }), {
        name: 'UnavailableError',
        message: /^orders of TC programs need Linux 6\.6, and this is /,
      });
      return;
    }
    using last = attachTc(pass.program, place);
    wire.send();
    assert.equal(wire.arrives(), false);
    assert.equal(pass.count, 0);
    last.close();
    using first = attachTc(pass.program, { ...place, order: { before: { link: dropLink } } });
    wire.send();
    assert.equal(wire.arrives(), false);
    assert.equal(pass.count, 1);
    using next = counting({ type: 'sched_cls' }, { result: -1 });
    first.update(next.program);
    wire.send();
    assert.deepEqual([wire.arrives(), pass.count, next.count, drop.count], [false, 1, 1, 3]);
  });
});

kernelTest(netkitFeature, 'counts what the primary device and its peer send', () => {
  inNetns(() => {
    addNetkit('nk0', 'nk1');
    using counter = counting({ type: 'sched_cls' });
    for (const peer of [false, true]) {
      using sender = new Socket(AF_PACKET, RAW);
      const from = ifIndex(peer ? 'nk1' : 'nk0');
      const address = Uint8Array.of(AF_PACKET, 0, 8, 0, from, from >> 8, 0, 0, ...new Uint8Array(12));
      const packet = Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 0x45 : 0));
      // NETKIT_NEXT is -1, and 0 passes; the packet means nothing to its peer.
      const link = attachNetkit(counter.program, { interface: 'nk0', peer });
      assert.equal(link.info()?.type, 'netkit');
      assertCounts(counter, link, () => sender.send(packet, address), `netkit peer ${peer}`, peer ? 'detach' : 'close');
    }
    addVeth('a', 'b');
    assert.throws(() => attachNetkit(counter.program, { interface: 'a' }), {
      code: 'NO_TARGET',
      message: "interface 'a' is no netkit device: add one with ip(8)",
    });
  });
});

kernelTest(netnsFeature, 'sk_lookup and flow_dissector count in their network namespace', () => {
  inNetns(() => {
    using wire = new Wire();
    loopbackUp();
    using client = new Socket(AF_INET, DGRAM);
    using lookup = counting({ type: 'sk_lookup', attachType: 'sk_lookup' }, { result: 1 });
    const link = attachNetns(lookup.program);
    assert.equal(link.info()?.type, 'netns');
    const send = (): void => client.send(Uint8Array.of(1), loopback(AF_INET, 4000));
    assertCounts(lookup, link, send);
    assertCounts(lookup, attachNetns(lookup.program), send, 'sk_lookup', 'detach');
    using dissector = counting({ type: 'flow_dissector', attachType: 'flow_dissector' });
    assertCounts(dissector, attachNetns(dissector.program, '/proc/thread-self/ns/net'), () => cross(wire));
    assert.throws(() => attachNetns(lookup.program, '/proc/self/ns/mnt'), {
      code: 'NO_TARGET',
      message: "'/proc/self/ns/mnt' is no network namespace: one is /proc/PID/ns/net",
    });
  });
});

kernelTest(netfilterFeature, 'counts packets at a hook', () => {
  inNetns(() => {
    loopbackUp();
    using server = new Socket(AF_INET, DGRAM).bind(loopback(AF_INET, 4000));
    using client = new Socket(AF_INET, DGRAM);
    using counter = counting({ type: 'netfilter', attachType: 'netfilter' }, { result: NF_ACCEPT });
    for (const hook of ['pre_routing', 'local_in', 'local_out', 'post_routing'] as const) {
      const link = attachNetfilter(counter.program, { family: 'ipv4', hook, priority: -7 });
      const info = link.info();
      assert.ok(info?.type === 'netfilter' && info.priority === -7 && info.pf === 2, JSON.stringify(info?.type));
      assert.throws(() => link.update(counter.program), { code: 'NOT_UPDATABLE' });
      const pass = (): void => {
        client.send(Uint8Array.of(1), loopback(AF_INET, 4000));
        assert.ok(server.receive());
      };
      assertCounts(counter, link, pass, `netfilter ${hook}`, hook === 'local_in' ? 'detach' : 'close');
    }
  });
});
