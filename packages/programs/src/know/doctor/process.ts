// Who asks: what this process may do.
import { capabilityNames, kernelAtLeast } from '@bpf/sys';
import { capabilityBits, type Evidence, has, release, statusField } from './evidence.ts';
import { type Finding, ok, problem, unread, warning } from './finding.ts';

export function capabilities(evidence: Evidence): Finding {
  const name = 'capabilities';
  const bits = capabilityBits(evidence);
  if (bits === undefined) return unread(name, '/proc/self/status', evidence.read('/proc/self/status'));
  const names = capabilityNames(bits);
  const found = names.length > 0 ? names.join(', ') : 'none that matter for BPF';
  if (has(evidence, 'CAP_SYS_ADMIN')) return ok(name, found);
  if (!kernelAtLeast(release(evidence), 5, 8))
    return problem(name, found, 'run it as root: before Linux 5.8, BPF needs CAP_SYS_ADMIN');
  if (!has(evidence, 'CAP_BPF'))
    return problem(
      name,
      found,
      'run it as root, or grant CAP_BPF and CAP_PERFMON: setcap cap_bpf,cap_perfmon+ep on the node binary, or AmbientCapabilities= in a systemd unit',
    );
  const lacks = [
    [has(evidence, 'CAP_PERFMON'), 'CAP_PERFMON: tracing programs, and reading kernel memory'],
    [has(evidence, 'CAP_NET_ADMIN'), 'CAP_NET_ADMIN: xdp, sched_cls and other network programs'],
    [false, 'CAP_SYS_ADMIN: finding objects by id, statistics'],
  ] as const;
  const missing = lacks.filter(([present]) => !present).map(([, what]) => what);
  return warning(name, found, `for more than it may now, grant ${missing.join('; ')}`);
}

export function userNamespace(evidence: Evidence): Finding {
  const name = 'user namespace';
  const file = evidence.read('/proc/self/uid_map');
  if (file.text === undefined) return unread(name, '/proc/self/uid_map', file);
  if (/^\s*0\s+0\s+4294967295\s*$/.test(file.text)) return ok(name, 'the initial one');
  return problem(
    name,
    'another than the initial one, where capabilities count for nothing in bpf(2)',
    'run it outside: not in a rootless container, or one with user namespaces (Linux 6.9: or with a BPF token)',
  );
}

export function seccomp(evidence: Evidence): Finding {
  const name = 'seccomp';
  const mode = statusField(evidence, 'Seccomp');
  if (mode === undefined) return unread(name, '/proc/self/status', evidence.read('/proc/self/status'));
  if (mode !== '2') return ok(name, 'no filter');
  return evidence.tries.bpf().supported
    ? ok(name, 'a filter, which permits bpf(2)')
    : warning(
        name,
        'a filter, which may forbid bpf(2) or perf_event_open(2)',
        'in a container, allow both calls in its seccomp profile: --cap-add BPF --cap-add PERFMON does with docker, --security-opt seccomp=unconfined with all',
      );
}

export function memlock(evidence: Evidence): Finding {
  const name = 'RLIMIT_MEMLOCK';
  if (kernelAtLeast(release(evidence), 5, 11)) return ok(name, 'does not count for BPF since Linux 5.11');
  const file = evidence.read('/proc/self/limits');
  const limit = file.text?.match(/^Max locked memory\s+(\S+)/m)?.[1];
  if (limit === undefined) return unread(name, '/proc/self/limits', file);
  if (limit === 'unlimited') return ok(name, limit);
  if (has(evidence, 'CAP_SYS_RESOURCE'))
    return ok(name, `${limit} bytes, which is lifted when a map or program needs it`);
  return warning(
    name,
    `${limit} bytes, which maps and programs count against before Linux 5.11`,
    'start it after "ulimit -l unlimited", or with LimitMEMLOCK=infinity in a systemd unit',
  );
}

/** When programs on events of the whole machine are permitted. */
export function perfEventParanoid(evidence: Evidence): Finding {
  const name = 'kernel.perf_event_paranoid';
  const path = '/proc/sys/kernel/perf_event_paranoid';
  const file = evidence.read(path);
  if (file.text === undefined || Number.isNaN(Number(file.text)))
    return file.text === undefined && file.why === 'ENOENT'
      ? warning(name, 'no perf events', 'use a kernel with CONFIG_PERF_EVENTS=y for kprobes, uprobes and tracepoints')
      : unread(name, path, file);
  const level = Number(file.text);
  // Above 2 is Debian's and Ubuntu's, and CAP_PERFMON is no way past it there.
  const privileged = has(evidence, 'CAP_SYS_ADMIN') || (level <= 2 && has(evidence, 'CAP_PERFMON'));
  if (level < 0 || privileged) return ok(name, `${level}, which does not bind this process`);
  return warning(
    name,
    `${level}: perf events of the whole machine are not for this process`,
    'for kprobes, uprobes and tracepoints run it as root, or with CAP_PERFMON and sysctl kernel.perf_event_paranoid=2',
  );
}

const CAP_SYSLOG = 34n;

/** As kallsyms_show_value() of the kernel decides. */
export function kernelAddresses(evidence: Evidence): Finding {
  const name = 'kernel.kptr_restrict';
  const path = '/proc/sys/kernel/kptr_restrict';
  const file = evidence.read(path);
  if (file.text === undefined) return unread(name, path, file);
  const paranoid = Number(evidence.read('/proc/sys/kernel/perf_event_paranoid').text ?? 2);
  const syslog = (((capabilityBits(evidence) ?? 0n) >> CAP_SYSLOG) & 1n) === 1n;
  if ((file.text === '0' && paranoid <= 1) || (file.text !== '2' && syslog))
    return ok(name, `${file.text}: /proc/kallsyms shows addresses`);
  return warning(
    name,
    `${file.text}: /proc/kallsyms shows this process no addresses`,
    file.text === '2'
      ? 'for addresses of kernel symbols (ksyms), sysctl kernel.kptr_restrict=1 and CAP_SYSLOG'
      : 'for addresses of kernel symbols (ksyms), grant CAP_SYSLOG',
  );
}
