import assert from 'node:assert/strict';
import { progLoading } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { progLoad, progTestRun, SysError } from '../src/index.ts';

const insns = (...slots: string[]): Uint8Array => Uint8Array.from(Buffer.from(slots.join(''), 'hex'));
const RETURN_42 = insns('b70000002a000000', '9500000000000000');
const R0_IS_R2 = 'bf20000000000000'; // r2 was never written
const EXIT = '9500000000000000';

kernelTest(
  progLoading,
  'loads and runs',
  () => {
    using prog = progLoad({ type: 'socket_filter', insns: RETURN_42, license: 'GPL', name: 'forty_two' });
    assert.equal(progTestRun(prog, { data: new Uint8Array(14) }).retval, 42);
    assert.throws(() => progTestRun(prog, { data: new Uint8Array(13) }), {
      code: 'EINVAL',
      command: 'BPF_PROG_TEST_RUN',
    });
  },
  ['root', 'caps'],
);

kernelTest(
  progLoading,
  "a program that is refused comes with the verifier's log",
  () => {
    assert.throws(
      () => progLoad({ type: 'socket_filter', insns: insns(R0_IS_R2, EXIT), license: 'GPL' }),
      (error) => error instanceof SysError && error.code === 'EACCES' && /R2 !read_ok/.test(error.log ?? ''),
    );
  },
  ['root', 'caps'],
);

kernelTest(progLoading, 'a log that is longer than the first buffer comes whole', () => {
  // 3000 conditional jumps, and at the end a register that was never written.
  const many = Array.from({ length: 3000 }, () => ['b701000007000000', '1501000000000000']).flat();
  assert.throws(
    () => progLoad({ type: 'socket_filter', insns: insns(...many, R0_IS_R2, EXIT), license: 'GPL' }),
    (error) => {
      assert.ok(error instanceof SysError && error.log);
      assert.ok(error.log.length > 64 * 1024, `${error.log.length} characters`);
      assert.match(error.log, /^(func#0 @0\n)?0: /);
      assert.match(error.log, /R2 !read_ok/);
      return true;
    },
  );
});
