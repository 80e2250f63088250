import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Evidence, evidenceBelow, type Tries } from '../src/know/doctor/evidence.ts';
import { examine, type Finding } from '../src/know/doctor/index.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterAll(() => rmSync(root, { recursive: true }));

const yes = () => ({ supported: true }) as const;
const no = (reason: string) => () => ({ supported: false, reason }) as const;
const unsure = (reason: string) => () => ({ supported: undefined, reason }) as const;
const allThere: Tries = { koffi: yes, bpf: yes, fentry: yes, kprobeMulti: yes };

const ALL = '000001ffffffffff';
const BPF_AND_PERFMON = '000000c000000000';
const status = (capabilities: string, seccomp = 0): string =>
  `Name:\tnode\nCapEff:\t${capabilities}\nSeccomp:\t${seccomp}\n`;
const mounts = (...types: [string, string][]): string =>
  types.map(([type, path], i) => `${30 + i} 1 0:${i} / ${path} rw shared:7 - ${type} ${type} rw`).join('\n');

/** A machine on which everything can be done. */
const healthy: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.12.0-1-amd64\n',
  '/proc/self/status': status(ALL),
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/proc/self/mountinfo': mounts(
    ['bpf', '/sys/fs/bpf'],
    ['tracefs', '/sys/kernel/tracing'],
    ['cgroup2', '/sys/fs/cgroup'],
  ),
  '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
  '/sys/kernel/security/lockdown': '[none] integrity confidentiality\n',
  '/sys/kernel/security/lsm': 'lockdown,capability,bpf',
  '/sys/kernel/btf/vmlinux': 'BTF',
  '/proc/sys/kernel/perf_event_paranoid': '2\n',
  '/proc/sys/kernel/kptr_restrict': '0\n',
  '/proc/sys/net/core/bpf_jit_enable': '1\n',
  '/sys/bus/event_source/devices/kprobe/type': '8\n',
};

let made = 0;
type Change = {
  readonly files?: Record<string, string | undefined>;
  readonly tries?: Partial<Tries>;
} & Partial<Omit<Evidence, 'tries'>>;
/** The findings of a machine that is healthy but for these. */
function findings({ files = {}, tries = {}, ...more }: Change = {}): Finding[] {
  const folder = join(root, String(made++));
  for (const [path, text] of Object.entries({ ...healthy, ...files })) {
    if (text === undefined) continue;
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), path.endsWith('.gz') ? gzipSync(text) : text);
  }
  return examine({ ...evidenceBelow(folder, { ...allThere, ...tries }), platform: 'linux', arch: 'x64', ...more });
}

test('on a healthy machine all is well', () => {
  const all = findings();
  expect(all.filter((finding) => finding.status !== 'ok')).toEqual([]);
  expect(all.map(({ name }) => name)).toEqual([
    'Linux',
    'architecture',
    'koffi',
    'bpf(2)',
    'capabilities',
    'user namespace',
    'seccomp',
    'kernel.unprivileged_bpf_disabled',
    'lockdown',
    'security modules',
    'RLIMIT_MEMLOCK',
    'kernel BTF',
    'bpffs',
    'tracefs',
    'cgroup2',
    'kernel.perf_event_paranoid',
    'kernel.kptr_restrict',
    'net.core.bpf_jit_enable',
    'fentry',
    'kprobes',
    'kprobe_multi',
  ]);
});

test('nothing throws where there is nothing to read', () => {
  const nothing = Object.fromEntries(Object.keys(healthy).map((path) => [path, undefined]));
  const all = findings({ files: nothing });
  expect(all.length).toBe(21);
  expect(all.filter(({ advice, status }) => (advice === undefined) !== (status === 'ok'))).toEqual([]);
  expect(all.find(({ name }) => name === 'capabilities')).toEqual({
    name: 'capabilities',
    status: 'warning',
    found: '/proc/self/status could not be read (ENOENT)',
    advice: 'look again as root, or outside the container',
  });
});

const old = { '/proc/sys/kernel/osrelease': '5.10.0-30-amd64\n' };
const caps = { '/proc/self/status': status(BPF_AND_PERFMON) };
const none = { '/proc/self/status': status('0') };
const limits = (limit: string) => ({
  '/proc/self/limits': `Limit  Soft  Hard  Units\nMax locked memory         ${limit}  ${limit}  bytes\n`,
});
const KERNEL = '/proc/sys/kernel';

/** What is found of a machine, and its advice. */
const cases: readonly (readonly [
  name: string,
  change: Change,
  status: Finding['status'],
  found: RegExp,
  advice?: RegExp,
])[] = [
  ['Linux', { platform: 'darwin' }, 'problem', /this is darwin/, /Linux machine/],
  ['Linux', { files: { [`${KERNEL}/osrelease`]: '4.19.0\n' } }, 'warning', /4\.19/, /5\.10 or newer/],
  ['architecture', { arch: 'ia32' }, 'problem', /ia32/, /x64, arm64/],
  ['koffi', { tries: { koffi: unsure('does not load') } }, 'problem', /does not load/, /install/],
  ['bpf(2)', { tries: { bpf: unsure('no permission') } }, 'problem', /no permission/, /findings that follow/],
  [
    'bpf(2)',
    { tries: { bpf: no('no bpf(2)') }, files: { '/proc/config.gz': '# CONFIG_BPF_SYSCALL is not set\n' } },
    'problem',
    /CONFIG_BPF_SYSCALL is n/,
    /CONFIG_BPF_SYSCALL=y/,
  ],
  ['capabilities', { files: caps }, 'warning', /^CAP_PERFMON, CAP_BPF$/, /CAP_NET_ADMIN: xdp.*CAP_SYS_ADMIN/],
  ['capabilities', { files: none }, 'problem', /none that matter/, /setcap/],
  [
    'capabilities',
    { files: { ...caps, [`${KERNEL}/osrelease`]: '5.4.0' } },
    'problem',
    /CAP_BPF/,
    /root: before Linux 5\.8/,
  ],
  ['user namespace', { files: { '/proc/self/uid_map': '0 1000 1\n' } }, 'problem', /another/, /outside/],
  ['seccomp', { files: { '/proc/self/status': status(ALL, 2) } }, 'ok', /permits/],
  [
    'seccomp',
    { files: { '/proc/self/status': status(ALL, 2) }, tries: { bpf: unsure('EPERM') } },
    'warning',
    /may forbid/,
    /seccomp=unconfined/,
  ],
  [
    'kernel.unprivileged_bpf_disabled',
    { files: { [`${KERNEL}/unprivileged_bpf_disabled`]: '0\n' } },
    'warning',
    /^0/,
    /=2/,
  ],
  [
    'kernel.unprivileged_bpf_disabled',
    { files: { [`${KERNEL}/unprivileged_bpf_disabled`]: '1\n' } },
    'ok',
    /next boot/,
  ],
  [
    'kernel.unprivileged_bpf_disabled',
    { files: { [`${KERNEL}/unprivileged_bpf_disabled`]: undefined } },
    'warning',
    /ENOENT/,
    /root/,
  ],
  [
    'lockdown',
    { files: { '/sys/kernel/security/lockdown': 'none [integrity] confidentiality' } },
    'warning',
    /^integrity/,
    /Secure Boot/,
  ],
  [
    'lockdown',
    { files: { '/sys/kernel/security/lockdown': 'none integrity [confidentiality]' } },
    'problem',
    /^confid/,
    /Secure/,
  ],
  ['lockdown', { files: { '/sys/kernel/security/lockdown': undefined } }, 'ok', /none to be seen/],
  [
    'security modules',
    { files: { '/sys/kernel/security/lsm': 'capability,apparmor' } },
    'warning',
    /not bpf/,
    /lsm=capability,apparmor,bpf/,
  ],
  [
    'security modules',
    { files: { '/sys/kernel/security/lsm': undefined, '/boot/config-6.12.0-1-amd64': 'CONFIG_BPF_LSM=y\n' } },
    'warning',
    /CONFIG_BPF_LSM is y/,
    /securityfs/,
  ],
  ['RLIMIT_MEMLOCK', { files: { ...old, ...limits('unlimited') } }, 'ok', /unlimited/],
  ['RLIMIT_MEMLOCK', { files: { ...old, ...limits('65536') } }, 'ok', /lifted/],
  ['RLIMIT_MEMLOCK', { files: { ...old, ...caps, ...limits('65536') } }, 'warning', /65536/, /ulimit -l/],
  [
    'kernel BTF',
    { files: { '/sys/kernel/btf/vmlinux': undefined } },
    'problem',
    /there is no/,
    /CONFIG_DEBUG_INFO_BTF=y/,
  ],
  [
    'kernel BTF',
    { files: { '/sys/kernel/btf/vmlinux': undefined, '/proc/config.gz': 'CONFIG_DEBUG_INFO_BTF=y\n' } },
    'problem',
    /DEBUG_INFO_BTF is y/,
    /mount sysfs/,
  ],
  [
    'bpffs',
    { files: { '/proc/self/mountinfo': mounts() } },
    'warning',
    /not mounted/,
    /mount -t bpf bpf \/sys\/fs\/bpf/,
  ],
  [
    'tracefs',
    { files: { '/proc/self/mountinfo': mounts(['debugfs', '/d']), '/d/tracing/events/x': '' } },
    'ok',
    /^\/d\/tracing$/,
  ],
  [
    'tracefs',
    { files: { '/proc/self/mountinfo': mounts(['debugfs', '/d']) } },
    'warning',
    /not mounted/,
    /mount -t tracefs/,
  ],
  [
    'cgroup2',
    { files: { '/proc/self/mountinfo': undefined } },
    'warning',
    /could not be read/,
    /outside the container/,
  ],
  ['kernel.perf_event_paranoid', { files: caps }, 'ok', /^2/],
  ['kernel.perf_event_paranoid', { files: none }, 'warning', /^2/, /CAP_PERFMON/],
  [
    'kernel.perf_event_paranoid',
    { files: { ...caps, [`${KERNEL}/perf_event_paranoid`]: '3' } },
    'warning',
    /^3/,
    /paranoid=2/,
  ],
  ['kernel.perf_event_paranoid', { files: { ...none, [`${KERNEL}/perf_event_paranoid`]: '-1' } }, 'ok', /^-1/],
  [
    'kernel.perf_event_paranoid',
    { files: { [`${KERNEL}/perf_event_paranoid`]: undefined } },
    'warning',
    /no perf/,
    /PERF_EVENTS/,
  ],
  ['kernel.kptr_restrict', { files: none }, 'warning', /^0: .* no addresses/, /CAP_SYSLOG/],
  ['kernel.kptr_restrict', { files: { ...none, [`${KERNEL}/perf_event_paranoid`]: '1' } }, 'ok', /^0/],
  ['kernel.kptr_restrict', { files: { [`${KERNEL}/kptr_restrict`]: '2' } }, 'warning', /^2/, /kptr_restrict=1/],
  ['net.core.bpf_jit_enable', { files: { '/proc/sys/net/core/bpf_jit_enable': '0\n' } }, 'warning', /^0/, /=1$/],
  ['net.core.bpf_jit_enable', { files: { '/proc/sys/net/core/bpf_jit_enable': '2\n' } }, 'warning', /^2/, /debug/],
  [
    'net.core.bpf_jit_enable',
    { files: { '/proc/sys/net/core/bpf_jit_enable': undefined } },
    'warning',
    /no JIT/,
    /CONFIG_BPF_JIT/,
  ],
  [
    'net.core.bpf_jit_enable',
    { files: { '/proc/sys/net/core/bpf_jit_enable': undefined, '/proc/config.gz': 'CONFIG_BPF_JIT_ALWAYS_ON=y\n' } },
    'ok',
    /always on/,
  ],
  ['fentry', { tries: { fentry: unsure('refused') } }, 'warning', /refused/, /policy/],
  ['fentry', { tries: { fentry: no('none') } }, 'warning', /none/, /tp_btf/],
  [
    'kprobes',
    { files: { '/sys/bus/event_source/devices/kprobe/type': undefined } },
    'warning',
    /no \/sys\/bus/,
    /sysfs/,
  ],
  [
    'kprobes',
    {
      files: {
        '/sys/bus/event_source/devices/kprobe/type': undefined,
        '/sys/bus/event_source/devices/cpu/type': '4',
        '/proc/config.gz': 'CONFIG_KPROBE_EVENTS=n\n',
      },
    },
    'warning',
    /KPROBE_EVENTS is n/,
    /CONFIG_KPROBE_EVENTS=y/,
  ],
  ['kprobe_multi', { tries: { kprobeMulti: no('needs 5.18') } }, 'warning', /5\.18/, /one kprobe/],
  ['kprobe_multi', { tries: { kprobeMulti: unsure('EPERM') }, files: none }, 'warning', /EPERM/, /as root/],
];

for (const [i, [name, change, status, found, advice]] of cases.entries())
  test(`${name}, case ${i}`, () => {
    const finding = findings(change).find((one) => one.name === name);
    expect(finding).toMatchObject({ status, found: expect.stringMatching(found) });
    if (advice) expect(finding?.advice).toMatch(advice);
    else expect(finding).not.toHaveProperty('advice');
  });
