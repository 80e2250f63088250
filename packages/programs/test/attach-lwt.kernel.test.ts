import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ifIndex, lwtRouteDelete } from '@bpf/sys/netlink';
import { attachLwtSeg6, attachLwt as lwtFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addVeth, inNetns, interfaceUp, loopbackUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, AF_PACKET, DGRAM, RAW, Socket } from '../../../tooling/kernel-test/sockets.ts';
import { attachLwt } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';

const BPF_OK = 0;
const BPF_DROP = 2;
/** 10.1.2.3, port 4000. */
const THERE = Uint8Array.of(AF_INET, 0, 0x0f, 0xa0, 10, 1, 2, 3, ...new Uint8Array(8));
/** What the kernel itself says: destinations as hexadecimal. */
const routes = (file = 'route'): string => readFileSync(`/proc/thread-self/net/${file}`, 'utf8');

kernelTest(lwtFeature, 'counts the packets of a route, on their way in and out, until the link is closed', () => {
  inNetns(() => {
    loopbackUp();
    using client = new Socket(AF_INET, DGRAM);
    // A packet of this route goes out of lo and comes in again, where nothing takes it.
    const send = (): void => {
      try {
        client.send(Uint8Array.of(1), THERE);
      } catch (error) {
        assert.match(String(error), /ENETUNREACH/);
      }
    };
    for (const type of ['lwt_in', 'lwt_out', 'lwt_xmit'] as const) {
      using counter = counting({ type }, { result: BPF_OK });
      const link = attachLwt(counter.program, { to: '10.1.0.0/16', interface: 'lo' });
      assert.deepEqual([link.how, link.info()], ['netlink', undefined]);
      assert.match(routes(), /^lo\t0000010A\t/m);
      assertCounts(counter, link, send, type, type === 'lwt_out' ? 'detach' : 'close');
      assert.doesNotMatch(routes(), /0000010A/);
    }
  });
});

kernelTest(lwtFeature, 'what a program returns is done, and it is replaced in one step', () => {
  inNetns(() => {
    loopbackUp();
    using client = new Socket(AF_INET, DGRAM);
    using drop = counting({ type: 'lwt_out' }, { result: BPF_DROP });
    using pass = counting({ type: 'lwt_out' }, { result: BPF_OK });
    const route = { to: '10.1.2.3', ifindex: ifIndex('lo') };
    using link = attachLwt(drop.program, route);
    assert.throws(() => client.send(Uint8Array.of(1), THERE), /EPERM/);
    link.update(pass.program);
    client.send(Uint8Array.of(1), THERE);
    assert.deepEqual([drop.count, pass.count], [1, 1]);
    assert.throws(() => attachLwt(pass.program, route), {
      code: 'EEXIST',
      message: /there is a route to 10\.1\.2\.3 already: delete it, or replace it$/,
    });
    const asXmit = { fd: pass.program.fd, spec: { ...pass.program.spec, type: 'lwt_xmit' } } as const;
    assert.throws(() => attachLwt(asXmit, { ...route, to: '10.2.0.0/16' }), {
      code: 'EINVAL',
      message: /the program is of type lwt_out, and lwt_xmit is wanted here$/,
    });
    // A link whose route somebody else has deleted is closed all the same.
    lwtRouteDelete(route);
    assert.throws(() => lwtRouteDelete(route), { code: 'ESRCH' });
  });
});

/** An IPv6 packet without a payload, for the first of two segments of SRv6: a whole Ethernet frame to fc00:1::1. */
function segmentFrame(): Uint8Array {
  const address = (last: number): number[] => [0xfc, 0, 0, 1, ...new Uint8Array(11), last];
  // Next header 59 (none), 4 * 8 bytes more, type 4, 1 segment left, last entry 1; then the segments, the last one first.
  const routing = [59, 4, 4, 1, 1, 0, 0, 0, ...address(2), ...address(1)];
  const ipv6 = [0x60, 0, 0, 0, 0, routing.length, 43, 64, ...address(9), ...address(1)];
  return Uint8Array.of(2, 0, 0, 0, 0, 0x11, 2, 0, 0, 0, 0, 0x10, 0x86, 0xdd, ...ipv6, ...routing);
}

kernelTest(attachLwtSeg6, 'counts the packets of a segment', () => {
  inNetns(() => {
    addVeth('seg0', 'seg1');
    for (const name of ['seg0', 'seg1']) interfaceUp(name);
    using sender = new Socket(AF_PACKET, RAW);
    const from = ifIndex('seg0');
    const place = Uint8Array.of(AF_PACKET, 0, 0x86, 0xdd, from, from >> 8, 0, 0, ...new Uint8Array(12));
    using counter = counting({ type: 'lwt_seg6local' }, { result: BPF_DROP });
    const link = attachLwt(counter.program, { to: 'fc00:1::1', interface: 'seg1' });
    assert.match(routes('ipv6_route'), /^fc000001000000000000000000000001 80 .* seg1$/m);
    // The kernel takes a moment to see that the wire is plugged in.
    const send = (): void => {
      const before = counter.count;
      const end = Date.now() + (link.closed ? 0 : 5_000);
      do sender.send(segmentFrame(), place);
      while (counter.count === before && Date.now() < end);
    };
    assertCounts(counter, link, send);
    assert.doesNotMatch(routes('ipv6_route'), /^fc000001000000000000000000000001 80 .* seg1$/m);
  });
});
