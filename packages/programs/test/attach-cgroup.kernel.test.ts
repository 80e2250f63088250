import assert from 'node:assert/strict';
import { closeSync, readFileSync } from 'node:fs';
import { type AttachType, type ProgType, progGetInfo, progQuery } from '@bpf/sys';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import {
  cgroupLinks,
  attachLsmCgroup as lsmCgroupFeature,
  attachCgroupUnix as unixFeature,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { inNetns, loopbackUp } from '../../../tooling/kernel-test/netns.ts';
import { AF_INET, AF_INET6, AF_UNIX, DGRAM, loopback, Socket, STREAM } from '../../../tooling/kernel-test/sockets.ts';
import { attachCgroup, type Link } from '../src/index.ts';
import { assertCounts, type Counting, counting } from './attach-kit.ts';

const PORT = 4000;
const HELLO = Uint8Array.of(104, 105);

/** Every hook that datagrams of a family pass. */
function datagrams(family: number): void {
  using server = new Socket(family, DGRAM).bind(loopback(family, PORT));
  using client = new Socket(family, DGRAM).bind(loopback(family, PORT + 1));
  client.send(HELLO, loopback(family, PORT));
  assert.ok(server.receive());
  client.connect(loopback(family, PORT)).names();
  client.option();
}
const ipv4 = (): void => datagrams(AF_INET);
const ipv6 = (): void => datagrams(AF_INET6);
const unix = (): void => datagrams(AF_UNIX);

function tcp(): void {
  using server = new Socket(AF_INET, STREAM).sharePort().bind(loopback(AF_INET, PORT)).listen();
  using _ = new Socket(AF_INET, STREAM).connect(loopback(AF_INET, PORT));
  closeSync(server.accept());
}

/** For each attach type: the type of the program, and what makes it run. Each of them returns 1, which permits. */
const kinds: readonly (readonly [AttachType, ProgType, () => void])[] = [
  ['cgroup_inet_ingress', 'cgroup_skb', ipv4],
  ['cgroup_inet_egress', 'cgroup_skb', ipv4],
  ['cgroup_inet_sock_create', 'cgroup_sock', ipv4],
  ['cgroup_inet_sock_release', 'cgroup_sock', ipv4],
  ['cgroup_inet4_post_bind', 'cgroup_sock', ipv4],
  ['cgroup_inet6_post_bind', 'cgroup_sock', ipv6],
  ['cgroup_inet4_bind', 'cgroup_sock_addr', ipv4],
  ['cgroup_inet6_bind', 'cgroup_sock_addr', ipv6],
  ['cgroup_inet4_connect', 'cgroup_sock_addr', ipv4],
  ['cgroup_inet6_connect', 'cgroup_sock_addr', ipv6],
  ['cgroup_udp4_sendmsg', 'cgroup_sock_addr', ipv4],
  ['cgroup_udp6_sendmsg', 'cgroup_sock_addr', ipv6],
  ['cgroup_udp4_recvmsg', 'cgroup_sock_addr', ipv4],
  ['cgroup_udp6_recvmsg', 'cgroup_sock_addr', ipv6],
  ['cgroup_inet4_getpeername', 'cgroup_sock_addr', ipv4],
  ['cgroup_inet6_getpeername', 'cgroup_sock_addr', ipv6],
  ['cgroup_inet4_getsockname', 'cgroup_sock_addr', ipv4],
  ['cgroup_inet6_getsockname', 'cgroup_sock_addr', ipv6],
  ['cgroup_device', 'cgroup_device', () => void readFileSync('/dev/null')],
  ['cgroup_sysctl', 'cgroup_sysctl', () => void readFileSync('/proc/sys/kernel/ostype')],
  ['cgroup_getsockopt', 'cgroup_sockopt', ipv4],
  ['cgroup_setsockopt', 'cgroup_sockopt', ipv4],
  ['cgroup_sock_ops', 'sock_ops', tcp],
];
const unixKinds = ['connect', 'sendmsg', 'recvmsg', 'getpeername', 'getsockname'].map(
  (hook) => [`cgroup_unix_${hook}` as AttachType, 'cgroup_sock_addr', unix] as const,
);

/** All at once: a network namespace for each would take a guest a second. */
function assertAll(all: typeof kinds, how: { readonly how?: 'BPF_PROG_ATTACH' }): void {
  const attached: { readonly attachType: AttachType; readonly counter: Counting; readonly link: Link }[] = [];
  const acts = new Set(all.map(([, , act]) => act));
  withCgroup((cgroup) => {
    const act = (): void =>
      cgroup.inside(() =>
        inNetns(() => {
          loopbackUp();
          for (const each of acts) each();
        }),
      );
    try {
      for (const [attachType, type] of all) {
        const counter = counting({ type, attachType }, { result: 1 });
        attached.push({ attachType, counter, link: attachCgroup(counter.program, cgroup.path, how) });
      }
      act();
      for (const { attachType, counter, link } of attached) {
        assert.equal(link.how, how.how ?? 'BPF_LINK_CREATE');
        assert.equal(link.info()?.type, how.how ? undefined : 'cgroup');
        assert.ok(counter.count > 0, `${attachType} counted nothing`);
        link.close();
        assert.deepEqual(progQuery({ target: cgroup, attachType }).progIds, []);
      }
      const counts = attached.map(({ counter }) => counter.count);
      act();
      for (const [i, { attachType, counter }] of attached.entries())
        assert.equal(counter.count, counts[i], `${attachType} counted after the link was closed`);
    } finally {
      for (const { counter, link } of attached) {
        link.close();
        counter[Symbol.dispose]();
      }
    }
  });
}

for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const) {
  const way = 'how' in how ? 'without a link' : 'by a link';
  kernelTest(cgroupLinks, `every hook of a cgroup counts while a program is attached ${way}`, () =>
    assertAll(kinds, how),
  );
  kernelTest(unixFeature, `every hook of AF_UNIX counts while a program is attached ${way}`, () =>
    assertAll(unixKinds, how),
  );
}

kernelTest(lsmCgroupFeature, 'an LSM hook counts for the processes of a cgroup', () => {
  withCgroup((cgroup) => {
    const spec = { type: 'lsm', attachType: 'lsm_cgroup', attachTo: 'socket_bind' } as const;
    using counter = counting(spec, { result: 1 });
    const inside = (): void => cgroup.inside(() => inNetns(ipv4InOwn));
    assertCounts(counter, attachCgroup(counter.program, cgroup), inside);
  });
});

function ipv4InOwn(): void {
  loopbackUp();
  ipv4();
}

kernelTest(cgroupLinks, 'a program of a cgroup is replaced in one step, by either way', () => {
  withCgroup((cgroup) => {
    const spec = { type: 'cgroup_sysctl' } as const;
    const read = (): void => cgroup.inside(() => void readFileSync('/proc/sys/kernel/ostype'));
    for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const) {
      using first = counting(spec, { result: 1 });
      using second = counting(spec, { result: 1 });
      const link = attachCgroup(first.program, cgroup, how);
      link.update(second.program);
      // It holds what it needs to detach.
      first.program.close();
      second.program.close();
      read();
      assert.equal(first.count, 0);
      const { count } = second;
      assert.ok(count > 0);
      link.detach();
      read();
      assert.equal(second.count, count);
      link.close();
      assert.throws(() => link.update(first.program), { name: 'TypeError', message: 'this Link is closed' });
    }
  });
});

kernelTest(cgroupLinks, 'the order of programs is kept, where the kernel has one', () => {
  withCgroup((cgroup) => {
    using counter = counting({ type: 'cgroup_sysctl' }, { result: 1 });
    using other = counting({ type: 'cgroup_sysctl' }, { result: 1 });
    const place = { target: cgroup, attachType: 'cgroup_sysctl' } as const;
    using link = attachCgroup(counter.program, cgroup);
    const ids = [other, counter].map(({ program }) => progGetInfo(program).id);
    try {
      using _ = attachCgroup(other.program, cgroup, { order: { before: { link } } });
      assert.deepEqual(progQuery(place).progIds, ids);
    } catch (error) {
      assert.match(String(error), /^UnavailableError: orders of programs of a cgroup need Linux 6\.17, and this is /);
    }
  });
});

kernelTest(cgroupLinks, 'what is no cgroup gets a sentence', () => {
  using counter = counting({ type: 'cgroup_sysctl' }, { result: 1 });
  const { program } = counter;
  const message = /^'\/proc' is no cgroup of version 2: those are directories below \//;
  for (const how of [{}, { how: 'BPF_PROG_ATTACH' }] as const)
    assert.throws(() => attachCgroup(program, '/proc', how), { code: 'NO_TARGET', message });
  assert.throws(() => attachCgroup(program, '/no/such/cgroup'), { code: 'ENOENT' });
  using skb = counting({ type: 'cgroup_skb' }, { result: 1 });
  assert.throws(() => attachCgroup(skb.program, '/proc'), {
    code: 'NOT_ATTACHABLE',
    message: /^program 'count', a cgroup_skb, does not say what of a cgroup it attaches to \(attachType\)/,
  });
});
