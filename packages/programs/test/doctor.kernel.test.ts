import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { capabilityNames, readMachine } from '@bpf/sys';
import { knowDoctor } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { doctor, type Finding, kernelBtf } from '../src/index.ts';

const inGuest = process.env.KERNEL_SERIES !== undefined;
const statuses = (findings: readonly Finding[]): Record<string, string> =>
  Object.fromEntries(findings.map(({ name, status }) => [name, status]));

kernelTest(
  knowDoctor,
  'finds what this process may do',
  () => {
    const findings = doctor();
    for (const { name, status, found, advice } of findings) {
      assert.ok(found !== '', name);
      assert.equal(advice === undefined, status === 'ok', `${name}: ${found}`);
    }
    const status = statuses(findings);
    assert.equal(status.Linux, 'ok');
    assert.equal(status.architecture, 'ok');
    assert.equal(status.koffi, 'ok');
    assert.equal(status['kernel BTF'], 'ok');
    const names = capabilityNames(readMachine().capabilities);
    const admin = names.includes('CAP_SYS_ADMIN');
    const some = names.includes('CAP_BPF');
    assert.equal(status.capabilities, admin ? 'ok' : some ? 'warning' : 'problem');
    assert.equal(status['bpf(2)'], admin || some ? 'ok' : 'problem');
    assert.equal(status.kprobes, existsSync('/sys/bus/event_source/devices/kprobe') ? 'ok' : 'warning');
    if (!inGuest) return;
    // The guests are set up alike: see tooling/kernels/README.md.
    assert.equal(status['user namespace'], 'ok');
    assert.equal(status.seccomp, 'ok');
    assert.equal(status.lockdown, 'ok');
    assert.equal(status.bpffs, 'ok');
    assert.equal(status.tracefs, 'ok');
    assert.equal(status.cgroup2, 'ok');
    assert.equal(status.RLIMIT_MEMLOCK, 'ok');
    assert.equal(status.kprobes, 'ok');
    assert.equal(status.fentry, some ? 'ok' : 'warning');
    assert.equal(status['kernel.unprivileged_bpf_disabled'], 'ok');
    // Debian's level is 3, which CAP_PERFMON is no way past.
    assert.equal(status['kernel.perf_event_paranoid'], admin ? 'ok' : 'warning');
    assert.equal(status['kernel.kptr_restrict'], admin ? 'ok' : 'warning');
    const hasFprobe = kernelBtf().find('func', 'register_fprobe_ips') !== undefined;
    assert.equal(status.kprobe_multi, some && hasFprobe ? 'ok' : 'warning');
    // The file is root's, and Debian's configuration says that it is always on.
    assert.equal(status['net.core.bpf_jit_enable'], 'ok');
  },
  ['root', 'caps', 'none'],
);
