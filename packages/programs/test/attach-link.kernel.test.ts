import assert from 'node:assert/strict';
import { readdirSync, unlinkSync, writeSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { exit, mov } from '@bpf/insn';
import {
  Fd,
  linkGetFdById,
  linkGetInfo,
  objGet,
  PERF_COUNT_SW_CPU_CLOCK,
  perfEventOpen,
  progDetach,
  progGetFdById,
  progGetInfo,
  progQuery,
  SysError,
} from '@bpf/sys';
import { ifIndex, tcClsactDelete } from '@bpf/sys/netlink';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import { attachTc as attachTcFeature, cgroupLinks, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { addVeth, inNetns } from '../../../tooling/kernel-test/netns.ts';
import {
  attachCgroup,
  attachPerfEvent,
  attachRawTracepoint,
  attachTc,
  attachXdp,
  type Link,
  loadProgram,
} from '../src/index.ts';
import { counting } from './attach-kit.ts';
import { Child, childArgument, pause, until } from './child.ts';

const setNice = (): void => setPriority(getPriority());

kernelTest(rawTracepoint, 'what is pinned stays when the link is closed, and ends when it is unlinked', () => {
  withBpffs((folder) => {
    const path = join(folder, 'link');
    using counter = counting({ type: 'raw_tracepoint' }, { mine: true });
    const link = attachRawTracepoint(counter.program, 'sys_enter');
    link.pin(path);
    assert.throws(() => link.pin(path), { code: 'EEXIST' });
    assert.equal(link.info()?.progId, progGetInfo(counter.program).id);
    link.close();
    link.close();
    assert.equal(link.closed, true);
    for (const use of [() => link.fd, () => link.info(), () => link.detach(), () => link.pin(path)])
      assert.throws(use, { name: 'TypeError', message: 'this Link is closed' });
    const before = counter.count;
    setNice();
    assert.ok(counter.count > before, 'what is pinned does not run');
    unlinkSync(path);
    // Before Linux 5.11 the kernel ends it a moment later.
    assert.ok(
      until(() => {
        const { count } = counter;
        setNice();
        return counter.count === count;
      }),
      'it runs after it was unlinked',
    );
    // A descriptor that is handed away holds it too.
    using owner = new Fd(attachRawTracepoint(counter.program, 'sys_enter').disown());
    assert.equal(linkGetInfo(owner).type, 'raw_tracepoint');
  });
});

kernelTest(attachTcFeature, 'what was made is released when the rest fails', () => {
  using wrong = loadProgram({ name: 'wrong', type: 'lwt_in', instructions: [mov('r0', 0), exit()] });
  const open = (): number => readdirSync('/proc/self/fd').length;
  const before = open();
  const refused = (attach: () => Link, message: RegExp): void => assert.throws(attach, { code: 'EINVAL', message });
  const byLink =
    /^bpf\(BPF_LINK_CREATE\) failed with EINVAL: the kernel does not attach program 'wrong', a lwt_in, as /;
  withCgroup((cgroup) => {
    const asEgress = { fd: wrong.fd, spec: { ...wrong.spec, attachType: 'cgroup_inet_egress' } } as const;
    refused(() => attachCgroup(asEgress, cgroup), byLink);
    refused(
      () => attachCgroup(asEgress, cgroup, { how: 'BPF_PROG_ATTACH' }),
      /^bpf\(BPF_PROG_ATTACH\) failed with EINVAL/,
    );
  });
  inNetns(() => {
    addVeth('a', 'b');
    const ifindex = ifIndex('a');
    const place = { ifindex, direction: 'ingress' } as const;
    for (const how of [{}, { how: 'netlink' }] as const) {
      refused(
        () => attachTc(wrong, { ...place, ...how }),
        /the program is of type lwt_in, and sched_cls is wanted here/,
      );
      assert.throws(() => tcClsactDelete(ifindex), /has no clsact/);
      refused(() => attachXdp(wrong, { ifindex, ...how }), /the program is of type lwt_in, and xdp is wanted here/);
    }
  });
  using event = perfEventOpen({ type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, pid: 0, cpu: -1, disabled: true });
  refused(() => attachPerfEvent(wrong, event), byLink);
  refused(() => attachPerfEvent(wrong, event, { how: 'perf_event' }), /^ioctl failed with EINVAL/);
  assert.equal(open(), before + 1);
});

/** What a child of the test below says of itself, once everything is attached. */
interface Attached {
  readonly closed: number;
  readonly pinned: number;
  readonly cgroup: number;
}

/** The child: this very file, started anew. It attaches, and waits to be killed. */
function attachAndWait(pin: string, cgroup: string): void {
  const program = loadProgram({ name: 'killed', type: 'raw_tracepoint', instructions: [mov('r0', 0), exit()] });
  const link = attachRawTracepoint(program, 'sys_enter');
  const pinned = attachRawTracepoint(program, 'sys_exit');
  pinned.pin(pin);
  const sysctl = loadProgram({ name: 'killed', type: 'cgroup_sysctl', instructions: [mov('r0', 1), exit()] });
  attachCgroup(sysctl, cgroup, { how: 'BPF_PROG_ATTACH' });
  const said: Attached = {
    closed: linkGetInfo(link).id,
    pinned: linkGetInfo(pinned).id,
    cgroup: progGetInfo(sysctl).id,
  };
  writeSync(1, `${JSON.stringify(said)}\n`);
  // It ends with its parent, too.
  for (const parent = process.ppid; process.ppid === parent; ) pause(100);
}

kernelTest(cgroupLinks, 'a process that is killed leaves what is pinned, and what has no link', () => {
  if (childArgument) return attachAndWait(...(childArgument.split(':') as [string, string]));
  withBpffs((folder) =>
    withCgroup((cgroup) => {
      const pin = join(folder, 'pinned');
      const said = killOneThatAttached(`${pin}:${cgroup.path}`);
      assert.equal(linkIsGone(said.closed), true);
      using pinned = objGet(pin);
      assert.equal(linkGetInfo(pinned).id, said.pinned);
      const place = { target: cgroup, attachType: 'cgroup_sysctl' } as const;
      assert.deepEqual(progQuery(place).progIds, [said.cgroup]);
      using program = progGetFdById(said.cgroup);
      progDetach(program, place);
    }),
  );
});

/** Synchronous, as those who give it a place to attach to. */
function killOneThatAttached(places: string): Attached {
  using child = new Child('a process that is killed leaves', places);
  return JSON.parse(child.line(0)) as Attached;
}

/** The kernel ends what a killed process held a moment later. */
function linkIsGone(id: number): boolean {
  return until(() => {
    try {
      linkGetFdById(id).close();
      return false;
    } catch (error) {
      return error instanceof SysError && error.code === 'ENOENT';
    }
  });
}
