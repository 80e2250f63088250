// What programs are attached to, and where objects are found.
import { config, type Evidence, has } from './evidence.ts';
import { type Finding, ok, unread, warning } from './finding.ts';

const filesystems = {
  bpffs: { type: 'bpf', need: 'to pin objects', path: '/sys/fs/bpf', source: 'bpf' },
  tracefs: { type: 'tracefs', need: 'for tracepoints', path: '/sys/kernel/tracing', source: 'tracefs' },
  cgroup2: { type: 'cgroup2', need: 'for cgroup programs', path: '/sys/fs/cgroup', source: 'cgroup2' },
} as const;

export function mounted(evidence: Evidence, name: keyof typeof filesystems): Finding {
  const file = evidence.read('/proc/self/mountinfo');
  if (file.text === undefined) return unread(name, '/proc/self/mountinfo', file);
  const { type, need, path, source } = filesystems[name];
  const [at] = mountsOf(file.text, type);
  if (at !== undefined) return ok(name, at);
  if (name === 'tracefs') {
    // The kernel mounts it below debugfs when it is looked at.
    const tracing = mountsOf(file.text, 'debugfs').map((debugfs) => `${debugfs}/tracing`);
    const there = tracing.find((folder) => evidence.exists(`${folder}/events`));
    if (there !== undefined) return ok(name, there);
  }
  return warning(name, 'not mounted', `${need}, mount -t ${type} ${source} ${path}`);
}

/** proc_pid_mountinfo(5): ID PARENT DEVICE ROOT PATH OPTIONS [TAG…] - TYPE SOURCE OPTIONS. */
function mountsOf(mountinfo: string, type: string): string[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const path = before.split(' ')[4];
    return after.split(' ')[0] === type && path !== undefined ? [path] : [];
  });
}

export function fentry({ tries }: Evidence): Finding {
  const name = 'fentry';
  const answer = tries.fentry();
  if (answer.supported) return ok(name, 'programs on functions of the kernel load');
  const advice =
    answer.supported === undefined
      ? 'with all capabilities, that is a policy of this machine: use tp_btf, raw tracepoints or kprobes'
      : 'use tp_btf, raw tracepoints or kprobes';
  return warning(name, answer.reason, advice);
}

export function kprobes(evidence: Evidence): Finding {
  const name = 'kprobes';
  const path = '/sys/bus/event_source/devices';
  if (evidence.exists(`${path}/kprobe`)) return ok(name, 'there are perf events of kprobes');
  if (!evidence.exists(path)) return warning(name, `there is no ${path}`, 'mount -t sysfs sysfs /sys, and look again');
  const built = config(evidence, 'CONFIG_KPROBE_EVENTS');
  return warning(
    name,
    `none${built === undefined ? '' : ` (CONFIG_KPROBE_EVENTS is ${built})`}`,
    'use a kernel with CONFIG_KPROBE_EVENTS=y, or fentry, or tracepoints',
  );
}

export function fprobe(evidence: Evidence): Finding {
  const name = 'kprobe_multi';
  const answer = evidence.tries.kprobeMulti();
  if (answer.supported) return ok(name, 'one link may be on many functions');
  if (answer.supported === false) return warning(name, answer.reason, 'use one kprobe for each function');
  const advice = has(evidence, 'CAP_PERFMON')
    ? 'see the findings before'
    : 'try as root, or with CAP_BPF and CAP_PERFMON';
  return warning(name, answer.reason, advice);
}
