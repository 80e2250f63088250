import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
