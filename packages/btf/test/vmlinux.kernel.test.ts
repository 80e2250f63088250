import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { btf as btfFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { parseBtf } from '../src/index.ts';

kernelTest(btfFeature, 'finds functions, structs and members of the running kernel', () => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const func = btf.find('func', 'bpf_iter_task');
  assert.ok(func !== undefined);
  assert.equal(btf.type(func).name, 'bpf_iter_task');
  assert.equal(btf.member('task_struct', 'pid').size, 4);
  assert.equal(btf.member('task_struct', 'tgid').offset, btf.member('task_struct', 'pid').offset + 4);
  assert.equal(btf.member('task_struct', 'comm').size, 16);
  // The user API fixes these.
  assert.deepEqual(
    ['sin_family', 'sin_port', 'sin_addr.s_addr'].map((path) => btf.member('sockaddr_in', path).offset),
    [0, 2, 4],
  );
  // Through anonymous members: skc_daddr is in a struct in a union in struct sock_common.
  const common = btf.member('sock', '__sk_common').offset;
  assert.equal(
    btf.member('sock', '__sk_common.skc_daddr').offset,
    common + btf.member('sock_common', 'skc_daddr').offset,
  );
  assert.equal(btf.find('func', 'no_kernel_has_this'), undefined);
});

kernelTest(btfFeature, 'reads types of every part of the kernel and of its modules', () => {
  const base = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  // A prime step: some of every kind, in a time that a guest has.
  for (let id = 1; id <= base.count; id += 13) assert.equal(base.type(id).id, id);
  for (const name of readdirSync('/sys/kernel/btf').filter((name) => name !== 'vmlinux')) {
    const btf = parseBtf(readFileSync(`/sys/kernel/btf/${name}`), { base });
    assert.ok(btf.count > base.count, name);
    for (let id = base.count + 1; id <= btf.count; id++) assert.equal(btf.type(id).id, id);
    assert.equal(btf.find('struct', 'task_struct'), base.find('struct', 'task_struct'));
    if (name === 'veth') assert.ok(Number(btf.find('func', 'veth_xmit')) > base.count);
  }
});

kernelTest(btfFeature, 'lays out a by-value struct in as many slots as it takes', () => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  // int tcp_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval, unsigned int optlen)
  const { params, returns } = btf.func('tcp_setsockopt');
  assert.deepEqual(
    params.map(({ name, slot }) => [name, slot]),
    [
      ['sk', 0],
      ['level', 1],
      ['optname', 2],
      ['optval', 3],
      ['optlen', 5],
    ],
  );
  assert.equal(returns?.slot, 6);
});

kernelTest(btfFeature, 'follows pointers to where they lead', () => {
  const btf = parseBtf(readFileSync('/sys/kernel/btf/vmlinux'));
  const { pointers, offset, size } = btf.access('task_struct', 'real_parent.tgid');
  assert.deepEqual(pointers, [btf.member('task_struct', 'real_parent').offset]);
  assert.deepEqual({ offset, size }, { offset: btf.member('task_struct', 'tgid').offset, size: 4 });
});
