import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { netlinkTc, netlinkXdp, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addVeth, inNetns, Wire } from '../../../tooling/kernel-test/netns.ts';
import { type Fd, linkCreate, type MapFd, mapCreate, mapLookupElem, progLoad, UnavailableError } from '../src/index.ts';
import {
  ifIndex,
  tcClsactAdd,
  tcClsactDelete,
  tcFilterAdd,
  tcFilterDelete,
  tcFilterList,
  xdpAttach,
  xdpDetach,
  xdpQuery,
} from '../src/netlink/index.ts';
import { ifinfomsg } from '../src/netlink/interfaces.ts';
import { attrNested, attrString } from '../src/netlink/message.ts';
import { NLM_F_CREATE, rtRequest } from '../src/netlink/netlink.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const TC_ACT_OK = 0;
const TC_ACT_SHOT = 2;
const NOWHERE = 0x7fff_ffff;

/** A program that returns this, after it has counted the packet. */
function load(type: 'xdp' | 'sched_cls' | 'socket_filter', verdict: number, map?: MapFd): Fd {
  const fd = map ? Buffer.from(Uint32Array.of(map.fd).buffer).toString('hex') : '';
  const count = [
    'b701000000000000', // r1 = 0
    '631afcff00000000', // *(u32 *)(r10 - 4) = r1
    'bfa2000000000000', // r2 = r10
    '07020000fcffffff', // r2 += -4
    `18110000${fd}0000000000000000`, // r1 = map
    '8500000001000000', // call bpf_map_lookup_elem
    '1500020000000000', // if r0 == 0 goto +2
    'b701000001000000', // r1 = 1
    'db10000000000000', // lock *(u64 *)(r0 + 0) += r1
  ];
  const end = [`b7000000${verdict.toString(16).padStart(2, '0')}000000`, '9500000000000000'];
  const insns = Buffer.from([...(map ? count : []), ...end].join(''), 'hex');
  return progLoad({ type, insns: Uint8Array.from(insns), license: 'GPL', name: 'netlink_test' });
}

const counter = (): MapFd => mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1 });

function countOf(map: MapFd): number {
  const value = new Uint8Array(8);
  mapLookupElem(map, new Uint8Array(4), value);
  return Number(new DataView(value.buffer).getBigUint64(0, true));
}

/** What the kernel says of the descriptor, by another way than netlink. */
const idOf = (prog: Fd): number =>
  Number(readFileSync(`/proc/thread-self/fdinfo/${prog.fd}`, 'utf8').match(/^prog_id:\s*(\d+)/m)?.[1]);

/** A packet is sent, the program counts it, and it does not arrive. */
function assertDropped(wire: Wire, map: MapFd): void {
  const before = countOf(map);
  wire.send();
  const end = Date.now() + 5_000;
  while (countOf(map) === before && Date.now() < end) assert.equal(wire.arrives(), false);
  assert.equal(countOf(map), before + 1);
  assert.equal(wire.arrives(), false);
}

function assertPasses(wire: Wire): void {
  wire.send();
  const end = Date.now() + 5_000;
  while (!wire.arrives()) assert.ok(Date.now() < end, 'the packet did not arrive');
}

/** What iproute2 says, where it is (the guests have busybox, which has other applets of these names). */
function iproute2(tool: 'ip' | 'tc', ...args: string[]): unknown {
  const path = ['/usr/sbin', '/sbin'].map((folder) => `${folder}/${tool}`).find((file) => existsSync(file));
  return path && JSON.parse(execFileSync(path, ['-j', ...args], { encoding: 'utf8' }));
}

for (const mode of ['skb', 'drv'] as const)
  kernelTest(netlinkXdp, `a program drops what comes in, in mode ${mode}`, () => {
    inNetns(() => {
      using wire = new Wire();
      using map = counter();
      using prog = load('xdp', XDP_DROP, map);
      const none = { mode: 'none', progId: undefined, progIds: {} } as const;
      assert.deepEqual(xdpQuery(wire.to), none);
      assertPasses(wire);
      xdpAttach({ ifindex: wire.to, prog, mode });
      const id = idOf(prog);
      assert.deepEqual(xdpQuery(wire.to), { mode, progId: id, progIds: { [mode]: id } });
      const [link] = (iproute2('ip', 'link', 'show', 'dev', 'wire1') ?? []) as {
        xdp: { mode: number; prog: { id: number } };
      }[];
      if (link) assert.deepEqual([link.xdp.mode, link.xdp.prog.id], [mode === 'drv' ? 1 : 2, id]);
      assertDropped(wire, map);
      // Without a mode it is found where it is, which for skb is not where the kernel would look.
      xdpDetach({ ifindex: wire.to });
      assert.deepEqual(xdpQuery(wire.to), none);
      assertPasses(wire);
      xdpDetach({ ifindex: wire.to });
    });
  });

kernelTest(netlinkXdp, 'the interface holds the program, and the kernel chooses the mode', () => {
  inNetns(() => {
    using wire = new Wire();
    using map = counter();
    const prog = load('xdp', XDP_DROP, map);
    const id = idOf(prog);
    xdpAttach({ ifindex: wire.to, prog });
    prog.close();
    assert.deepEqual(xdpQuery(wire.to), { mode: 'drv', progId: id, progIds: { drv: id } });
    assertDropped(wire, map);
    using pass = load('xdp', XDP_PASS);
    const lo = ifIndex('lo'); // whose driver knows no XDP
    assert.throws(() => xdpAttach({ ifindex: lo, prog: pass, mode: 'drv' }), {
      code: 'EOPNOTSUPP',
      message: /native mode/,
    });
    xdpAttach({ ifindex: lo, prog: pass });
    assert.equal(xdpQuery(lo).mode, 'skb');
  });
});

kernelTest(netlinkXdp, 'what a link of bpf(2) holds is seen, and stays', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    using prog = load('xdp', XDP_PASS);
    using link = linkCreate({ attachType: 'xdp', prog, ifindex });
    assert.equal(xdpQuery(ifindex).progId, idOf(prog));
    const held = { code: 'EBUSY', message: /: Can't replace active BPF XDP link$/ };
    assert.throws(() => xdpAttach({ ifindex, prog }), held);
    assert.throws(() => xdpAttach({ ifindex, prog, replace: prog }), held);
    assert.throws(() => xdpDetach({ ifindex }), held);
    link.close();
    assert.equal(xdpQuery(ifindex).mode, 'none');
  });
});

kernelTest(netlinkXdp, 'an answer that does not fit is refused', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    const names = Array.from({ length: 250 }, (_, n) => attrString(53, `${n}`.padStart(127, 'x'))); // IFLA_ALT_IFNAME
    const add = (some: Uint8Array[]) =>
      rtRequest({ command: 'RTM_NEWLINKPROP', flags: 0xc00, parts: [ifinfomsg(ifindex), attrNested(52, ...some)] });
    add(names.slice(0, 200));
    assert.equal(ifIndex('199'.padStart(127, 'x')), ifindex);
    add(names.slice(200));
    assert.throws(() => xdpQuery(ifindex), {
      code: 'EMSGSIZE',
      message: /: an answer of 3\d{4} bytes, of which 32768 fit$/,
    });
  });
});

kernelTest(netlinkXdp, 'a program of somebody else stays, unless it is named', () => {
  inNetns(() => {
    using wire = new Wire();
    const ifindex = wire.to;
    using map = counter();
    using theirs = load('xdp', XDP_PASS);
    using ours = load('xdp', XDP_DROP, map);
    xdpAttach({ ifindex, prog: theirs, mode: 'skb' });
    assert.throws(() => xdpAttach({ ifindex, prog: ours, mode: 'skb' }), {
      name: 'SysError',
      code: 'EBUSY',
      syscall: 'netlink',
      command: 'RTM_SETLINK',
      message: 'netlink(RTM_SETLINK) failed with EBUSY: XDP program already attached',
    });
    assert.throws(() => xdpAttach({ ifindex, prog: ours, mode: 'drv' }), {
      code: 'EEXIST',
      message: /: native and generic XDP can't be active at the same time$/i,
    });
    const wrong = { code: 'EEXIST', message: /: Active program does not match expected$/ };
    assert.throws(() => xdpAttach({ ifindex, prog: ours, mode: 'skb', replace: ours }), wrong);
    assert.throws(() => xdpDetach({ ifindex, expected: ours }), wrong);
    assert.equal(xdpQuery(ifindex).progId, idOf(theirs));
    assertPasses(wire);
    xdpAttach({ ifindex, prog: ours, mode: 'skb', replace: theirs });
    assert.equal(xdpQuery(ifindex).progId, idOf(ours));
    assertDropped(wire, map);
    xdpDetach({ ifindex, mode: 'skb', expected: ours });
    assert.equal(xdpQuery(ifindex).mode, 'none');
    assert.throws(() => xdpDetach({ ifindex, expected: ours }), wrong);
  });
});

kernelTest(netlinkXdp, 'what cannot be attached gets a sentence', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    using prog = load('xdp', XDP_PASS);
    using filter = load('socket_filter', 0);
    const message = (reason: string) => ({ message: `netlink(RTM_SETLINK) failed with ${reason}` });
    assert.throws(
      () => xdpAttach({ ifindex: NOWHERE, prog }),
      message(`ENODEV: there is no interface ${NOWHERE} in this network namespace`),
    );
    assert.throws(
      () => xdpAttach({ ifindex, prog: filter }),
      message('EINVAL: the program is of type socket_filter, and xdp is wanted here'),
    );
    const fd = openSync('/dev/null', 'r');
    assert.throws(() => xdpAttach({ ifindex, prog: { fd } }), message(`EINVAL: descriptor ${fd} is no BPF program`));
    closeSync(fd);
    assert.throws(() => xdpAttach({ ifindex, prog: { fd: 1e6 } }), message('EBADF: descriptor 1000000 is not open'));
    assert.throws(() => xdpAttach({ ifindex, prog, mode: 'hw' }), {
      message: /: mode 'hw' is for a program that was loaded/,
    });
    assert.throws(() => xdpQuery(NOWHERE), { code: 'ENODEV', command: 'RTM_GETLINK' });
    assert.equal(xdpQuery(ifindex).mode, 'none');
  });
});

kernelTest(netlinkXdp, 'interfaces are found by their name', () => {
  for (const name of readdirSync('/sys/class/net').filter((name) => existsSync(`/sys/class/net/${name}/ifindex`)))
    assert.equal(ifIndex(name), Number(readFileSync(`/sys/class/net/${name}/ifindex`, 'utf8')));
  inNetns(() => {
    assert.equal(ifIndex('lo'), 1);
    addVeth('fifteen_letters', 'b');
    assert.notEqual(ifIndex('fifteen_letters'), ifIndex('b'));
    for (const name of ['nowhere', 'a_name_that_only_an_alternative_can_have'])
      assert.throws(() => ifIndex(name), {
        message: `netlink(RTM_GETLINK) failed with ENODEV: there is no interface '${name}' in this network namespace`,
      });
  });
});

kernelTest(netlinkTc, 'a filter drops what comes in, and one what goes out', () => {
  inNetns(() => {
    using wire = new Wire();
    for (const [direction, ifindex, dev] of [
      ['ingress', wire.to, 'wire1'],
      ['egress', wire.from, 'wire0'],
    ] as const) {
      using map = counter();
      using prog = load('sched_cls', TC_ACT_SHOT, map);
      const progId = idOf(prog);
      assert.equal(tcClsactAdd(ifindex), true);
      assert.equal(tcClsactAdd(ifindex), false);
      assert.deepEqual(tcFilterList(ifindex, direction), []);
      assertPasses(wire);
      const filter = tcFilterAdd({ ifindex, direction, prog, name: 'drop_all' });
      assert.ok(filter.priority > 0 && filter.handle > 0, JSON.stringify(filter));
      const listed = { ...filter, name: 'drop_all', progId, directAction: true };
      assert.deepEqual(tcFilterList(ifindex, direction), [listed]);
      assert.deepEqual(tcFilterList(ifindex, direction === 'ingress' ? 'egress' : 'ingress'), []);
      const shown = iproute2('tc', 'filter', 'show', 'dev', dev, direction);
      if (shown) {
        const seen = JSON.stringify(shown);
        for (const part of ['"drop_all"', `"id":${progId}`, `"pref":${filter.priority}`, '"direct-action":true'])
          assert.ok(seen.includes(part), `${part} in ${seen}`);
      }
      assertDropped(wire, map);
      tcFilterDelete({ ifindex, direction, ...filter });
      assert.deepEqual(tcFilterList(ifindex, direction), []);
      assertPasses(wire);
      assert.throws(() => tcFilterDelete({ ifindex, direction, ...filter }), { code: 'ENOENT' });
      // Deleting clsact deletes its filters.
      tcFilterAdd({ ifindex, direction, prog, name: 'again' });
      tcClsactDelete(ifindex);
      assertPasses(wire);
      assert.throws(
        () => tcClsactDelete(ifindex),
        /E(INVAL|NOENT): interface \d+ has no clsact \(the kernel's own words: \S/,
      );
    }
  });
});

kernelTest(netlinkTc, 'filters run by priority, and none takes the place of another', () => {
  inNetns(() => {
    using wire = new Wire();
    using map = counter();
    using drop = load('sched_cls', TC_ACT_SHOT, map);
    using pass = load('sched_cls', TC_ACT_OK);
    const place = { ifindex: wire.to, direction: 'ingress' } as const;
    tcClsactAdd(wire.to);
    assert.deepEqual(tcFilterAdd({ ...place, prog: drop, name: 'drop', priority: 20, handle: 7 }), {
      priority: 20,
      handle: 7,
    });
    assertDropped(wire, map);
    const first = tcFilterAdd({ ...place, prog: pass, name: 'päss', priority: 10 });
    assert.deepEqual(first, { priority: 10, handle: 1 });
    assertPasses(wire);
    const list = tcFilterList(wire.to, 'ingress');
    assert.deepEqual(
      list.map(({ priority, handle, name, progId }) => [priority, handle, name, progId]),
      [
        [10, 1, 'päss', idOf(pass)],
        [20, 7, 'drop', idOf(drop)],
      ],
    );
    assert.throws(() => tcFilterAdd({ ...place, prog: pass, name: 'x', priority: 20, handle: 7 }), {
      code: 'EEXIST',
      message: /EEXIST: \S/,
    });
    tcFilterDelete({ ...place, ...first });
    assertDropped(wire, map);
  });
});

kernelTest(netlinkTc, 'an ingress qdisc is not taken for clsact', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    const tcmsg = new Uint8Array(Int32Array.of(0, ifindex, 0xffff_0000, 0xffff_fff1, 0).buffer);
    rtRequest({ command: 'RTM_NEWQDISC', flags: NLM_F_CREATE, parts: [tcmsg, attrString(1, 'ingress')] });
    assert.throws(() => tcClsactAdd(ifindex), {
      code: 'EEXIST',
      message: new RegExp(`: interface ${ifindex} has the qdisc 'ingress' in the place of clsact`),
    });
    assert.throws(() => tcClsactDelete(ifindex), { code: 'EINVAL', message: /has no clsact/ });
  });
});

kernelTest(netlinkTc, 'a list that is longer than a datagram comes whole', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    using prog = load('sched_cls', TC_ACT_OK);
    tcClsactAdd(ifindex);
    const name = 'n'.repeat(255);
    for (let handle = 1; handle <= 150; handle++)
      tcFilterAdd({ ifindex, direction: 'egress', prog, name, priority: 1, handle });
    const list = tcFilterList(ifindex, 'egress');
    assert.equal(new Set(list.map(({ handle }) => handle)).size, 150);
    assert.ok(list.every((filter) => filter.name === name));
  });
});

kernelTest(netlinkTc, 'what cannot be added gets a sentence', () => {
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    using prog = load('sched_cls', TC_ACT_OK);
    using other = load('xdp', XDP_PASS);
    const filter = { ifindex, direction: 'ingress', prog, name: 'x' } as const;
    const nowhere = { code: 'ENODEV', message: /: there is no interface 2147483647 in this network namespace$/ };
    const noClsact = {
      code: 'EINVAL',
      message: new RegExp(`: interface ${ifindex} has no clsact: add it first, with tcClsactAdd`),
    };
    assert.throws(() => tcFilterAdd(filter), noClsact);
    assert.throws(() => tcFilterDelete({ ...filter, priority: 1, handle: 1 }), noClsact);
    assert.deepEqual(tcFilterList(ifindex, 'ingress'), []);
    tcClsactAdd(ifindex);
    assert.throws(() => tcFilterAdd({ ...filter, prog: other }), {
      message: 'netlink(RTM_NEWTFILTER) failed with EINVAL: the program is of type xdp, and sched_cls is wanted here',
    });
    assert.throws(() => tcFilterAdd({ ...filter, ifindex: NOWHERE }), nowhere);
    assert.throws(() => tcFilterDelete({ ...filter, ifindex: NOWHERE, priority: 1, handle: 1 }), nowhere);
    assert.throws(() => tcFilterList(NOWHERE, 'ingress'), nowhere);
    assert.throws(() => tcClsactAdd(NOWHERE), nowhere);
    assert.throws(() => tcClsactDelete(NOWHERE), nowhere);
    assert.throws(() => tcFilterDelete({ ...filter, priority: 1, handle: 1 }), {
      code: 'ENOENT',
      message: /ENOENT: \S/,
    });
    assert.deepEqual(tcFilterList(ifindex, 'ingress'), []);
    // What the kernel says of kinds that it lacks, as one without clsact or cls_bpf does of those.
    const tcmsg = (parent: number, info: number) => new Uint8Array(Int32Array.of(0, ifindex, 0, parent, info).buffer);
    for (const [command, parent, info] of [
      ['RTM_NEWQDISC', 0xffff_ffff, 0],
      ['RTM_NEWTFILTER', 0xffff_fff2, 0x1_0300],
    ] as const) {
      const parts = [tcmsg(parent, info), attrString(1, 'no_such_kind')];
      assert.throws(() => rtRequest({ command, flags: NLM_F_CREATE, parts }), {
        code: 'ENOENT',
        message: /qdisc|classifier/,
      });
    }
  });
});

kernelTest(
  unprivileged,
  'netlink says that CAP_NET_ADMIN is needed',
  () => {
    // Refused before the kernel looks whether there is such an interface.
    const place = { ifindex: NOWHERE, prog: { fd: 0 } };
    const message = /: this process has no permission: it needs CAP_NET_ADMIN, so run it as root or grant it/;
    for (const act of [
      () => xdpAttach(place),
      () => xdpDetach({ ifindex: NOWHERE, mode: 'skb' }),
      () => tcClsactAdd(NOWHERE),
      () => tcFilterAdd({ ...place, direction: 'ingress', name: 'x' }),
    ])
      assert.throws(act, (error) => error instanceof UnavailableError && message.test(error.message));
    assert.throws(() => xdpQuery(NOWHERE), { code: 'ENODEV' });
    assert.equal(xdpQuery(ifIndex('lo')).mode, 'none');
  },
  ['caps', 'none'],
);
