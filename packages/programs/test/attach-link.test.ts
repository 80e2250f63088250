import { SysError, UnavailableError } from '@bpf/sys';
import { expect, test, vi } from 'vitest';
import { ignoreGone, linkElse, needing } from '../src/attach/make.ts';
import { attach, Link } from '../src/index.ts';

const sysError = (code: string) => new SysError({ code, errno: 1, syscall: 'bpf' });

test('an older way is detached once, by whichever comes first, and released', () => {
  const detach = vi.fn();
  const release = vi.fn();
  const link = new Link('netlink', undefined, { detach, owns: [{ [Symbol.dispose]: release }] });
  expect(link.info()).toBeUndefined();
  link.detach();
  link.detach();
  expect(link.closed).toBe(false);
  link.close();
  link.close();
  link[Symbol.dispose]();
  expect(detach).toHaveBeenCalledTimes(1);
  expect(release).toHaveBeenCalledTimes(1);
  for (const use of [() => link.fd, () => link.info(), () => link.update({ fd: 3 }), () => link.detach()])
    expect(use).toThrow(new TypeError('this Link is closed'));
});

test('what cannot be detached is released all the same', () => {
  const release = vi.fn();
  const detach = () => {
    throw sysError('EPERM');
  };
  const link = new Link('BPF_PROG_ATTACH', undefined, { detach, owns: [{ [Symbol.dispose]: release }] });
  expect(() => link.close()).toThrow('EPERM');
  expect(release).toHaveBeenCalledTimes(1);
});

test('an older way has no descriptor, no pin, and no update unless it says how', () => {
  const link = new Link('netlink', undefined, { detach: () => {} });
  expect(() => link.fd).toThrow('what was attached by netlink is no bpf_link, and has no descriptor');
  expect(() => link.disown()).toThrow(
    'what was attached by netlink is no bpf_link, and has no descriptor to hand away',
  );
  expect(() => link.pin('/x')).toThrow('what was attached by netlink is no bpf_link, and cannot be pinned');
  expect(() => link.update({ fd: 3 })).toThrow('the program of an attachment by netlink cannot be replaced');
  const update = vi.fn();
  new Link('netlink', undefined, { detach: () => {}, update }).update({ fd: 3 });
  expect(update).toHaveBeenCalledWith({ fd: 3 });
});

test('the older way is for kernels without links only, and the more telling error surfaces', () => {
  const older = new Link('netlink', undefined, { detach: () => {} });
  const fails = (code: string) => () => {
    throw sysError(code);
  };
  expect(linkElse(fails('EINVAL'), () => older)).toBe(older);
  expect(linkElse(fails('EOPNOTSUPP'), () => older)).toBe(older);
  expect(() => linkElse(fails('EBUSY'), () => older)).toThrow('EBUSY');
  expect(() => linkElse(fails('EINVAL'), fails('ENODEV'))).toThrow('ENODEV');
  expect(() => linkElse(fails('EOPNOTSUPP'), fails('EINVAL'))).toThrow('EOPNOTSUPP');
  expect(() => ignoreGone(['ENOENT'], fails('ENOENT'))).not.toThrow();
  expect(() => ignoreGone(['ENOENT'], fails('EPERM'))).toThrow('EPERM');
});

test('a kernel that is too old, or built without it, is told from a mistake', () => {
  const fails = (code: string) => () => {
    throw sysError(code);
  };
  const what = 'links of glass';
  const old = () => needing({ what, since: '999.0' }, fails('EINVAL'));
  expect(old).toThrow(UnavailableError);
  expect(old).toThrow(/^links of glass need Linux 999\.0, and this is /);
  const newer = { what, since: '0.1', config: 'CONFIG_GLASS=y' };
  expect(() => needing(newer, fails('EOPNOTSUPP'))).toThrow(
    'This kernel has no links of glass: they need CONFIG_GLASS=y.',
  );
  expect(() => needing(newer, fails('EINVAL'))).toThrow('bpf failed with EINVAL');
  expect(() => needing(newer, fails('EBUSY'))).toThrow('bpf failed with EBUSY');
});

test.each([
  ['xdp', "program 'p', a xdp, attaches to something that its spec does not name: use attachXdp"],
  ['sched_cls', 'use attachTc or attachNetkit'],
  ['sock_ops', 'use attachCgroup'],
  ['cgroup_skb', 'use attachCgroup'],
  ['sk_lookup', 'use attachNetns'],
  ['sk_msg', 'use attachSockmap'],
  ['socket_filter', 'use attachSocketFilter or attachReuseport'],
  ['netfilter', 'use attachNetfilter'],
  ['perf_event', 'use attachPerfEvent'],
  ['syscall', "program 'p', a syscall, has nothing that it attaches to"],
  ['tracepoint', "program 'p' does not say which tracepoint it attaches to (attachTo)"],
  ['kprobe', "program 'p' does not say which function it attaches to (attachTo)"],
] as const)('attach() of a %s says what to do', (type, message) => {
  expect(() => attach({ fd: -1, spec: { name: 'p', type } })).toThrow(message);
});
