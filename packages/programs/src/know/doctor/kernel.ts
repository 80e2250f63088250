// What the kernel is, and what it was told to permit.
import { kernelAtLeast } from '@bpf/sys';
import { config, type Evidence, has, release } from './evidence.ts';
import { type Finding, ok, problem, unread, warning } from './finding.ts';

const ARCHITECTURES = ['x64', 'arm64', 'riscv64', 'loong64'];

export function linux(evidence: Evidence): Finding {
  const name = 'Linux';
  if (evidence.platform !== 'linux')
    return problem(name, `this is ${evidence.platform}`, 'run it on a Linux machine, or in a virtual one');
  const version = release(evidence);
  if (kernelAtLeast(version, 5, 10)) return ok(name, version);
  return warning(name, version, 'use Linux 5.10 or newer: this package is tested on nothing older');
}

export function architecture({ arch }: Evidence): Finding {
  const name = 'architecture';
  if (ARCHITECTURES.includes(arch)) return ok(name, arch);
  return problem(name, arch, `use one of ${ARCHITECTURES.join(', ')}`);
}

export function koffi({ tries }: Evidence): Finding {
  const answer = tries.koffi();
  if (answer.supported) return ok('koffi', 'loads');
  return problem('koffi', answer.reason, 'install the packages on this machine, with their optional dependencies');
}

export function bpfCall(evidence: Evidence): Finding {
  const name = 'bpf(2)';
  const answer = evidence.tries.bpf();
  if (answer.supported) return ok(name, 'a map can be made');
  if (answer.supported === undefined) return problem(name, answer.reason, 'see the findings that follow');
  const built = config(evidence, 'CONFIG_BPF_SYSCALL');
  return problem(
    name,
    built === undefined ? answer.reason : `${answer.reason} (CONFIG_BPF_SYSCALL is ${built})`,
    'use a kernel that was built with CONFIG_BPF_SYSCALL=y',
  );
}

export function unprivilegedBpf(evidence: Evidence): Finding {
  const name = 'kernel.unprivileged_bpf_disabled';
  const path = `/proc/sys/kernel/unprivileged_bpf_disabled`;
  const file = evidence.read(path);
  switch (file.text) {
    case '0':
      return warning(
        name,
        '0: everybody may load socket filters and make maps',
        'unless you want that, sysctl kernel.unprivileged_bpf_disabled=2: it has been a way to attack the processor',
      );
    case '1':
      return ok(name, '1: only with CAP_BPF or CAP_SYS_ADMIN, until the next boot');
    case '2':
      return ok(name, '2: only with CAP_BPF or CAP_SYS_ADMIN, until it is set to 0');
    default:
      return unread(name, path, file);
  }
}

export function lockdown(evidence: Evidence): Finding {
  const name = 'lockdown';
  const path = '/sys/kernel/security/lockdown';
  const file = evidence.read(path);
  if (file.text === undefined)
    return file.why === 'ENOENT'
      ? ok(name, 'none to be seen: this kernel has none, or securityfs is not mounted')
      : unread(name, path, file);
  const mode = file.text.match(/\[(\w+)\]/)?.[1] ?? file.text;
  if (mode === 'none') return ok(name, mode);
  const advice = 'switch Secure Boot off, or boot without lockdown=, if the machine is yours';
  return mode === 'integrity'
    ? warning(name, 'integrity: programs may not write to the memory of processes (bpf_probe_write_user)', advice)
    : problem(
        name,
        `${mode}: programs may not read the memory of the kernel, so that tracing is of little use`,
        advice,
      );
}

export function securityModules(evidence: Evidence): Finding {
  const name = 'security modules';
  const path = '/sys/kernel/security/lsm';
  const file = evidence.read(path);
  if (file.text === undefined) {
    if (file.why !== 'ENOENT') return unread(name, path, file);
    const built = config(evidence, 'CONFIG_BPF_LSM');
    return warning(
      name,
      `not to be seen: securityfs is not mounted${built === undefined ? '' : ` (CONFIG_BPF_LSM is ${built})`}`,
      'for LSM programs, mount -t securityfs securityfs /sys/kernel/security and look again',
    );
  }
  if (file.text.split(',').includes('bpf')) return ok(name, file.text);
  return warning(
    name,
    `${file.text}, and not bpf`,
    `for LSM programs, boot with lsm=${file.text},bpf (CONFIG_BPF_LSM=y)`,
  );
}

export function kernelTypes(evidence: Evidence): Finding {
  const name = 'kernel BTF';
  const path = '/sys/kernel/btf/vmlinux';
  if (evidence.exists(path)) return ok(name, path);
  const built = config(evidence, 'CONFIG_DEBUG_INFO_BTF');
  return problem(
    name,
    `there is no ${path}${built === undefined ? '' : ` (CONFIG_DEBUG_INFO_BTF is ${built})`}`,
    built === 'y'
      ? 'mount sysfs: mount -t sysfs sysfs /sys'
      : 'for tracing programs and iterators use a kernel with CONFIG_DEBUG_INFO_BTF=y: those of distributions have it',
  );
}

export function jit(evidence: Evidence): Finding {
  const name = 'net.core.bpf_jit_enable';
  const path = '/proc/sys/net/core/bpf_jit_enable';
  const file = evidence.read(path);
  switch (file.text) {
    case '1':
      return ok(name, '1');
    case '0':
      return warning(name, '0: programs are interpreted, which is several times slower', `sysctl ${name}=1`);
    case '2':
      return warning(
        name,
        '2: machine code is written to the kernel log',
        `sysctl ${name}=1, unless you debug the JIT`,
      );
    default:
      if (config(evidence, 'CONFIG_BPF_JIT_ALWAYS_ON') === 'y') return ok(name, 'always on (CONFIG_BPF_JIT_ALWAYS_ON)');
      return has(evidence, 'CAP_SYS_ADMIN') && file.text === undefined && file.why === 'ENOENT'
        ? warning(name, 'no JIT: programs are interpreted', 'use a kernel with CONFIG_BPF_JIT=y, and fentry with it')
        : unread(name, path, file);
  }
}
