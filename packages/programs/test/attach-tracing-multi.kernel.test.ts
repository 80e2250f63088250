import assert from 'node:assert/strict';
import { exit, mov } from '@bpf/insn';
import { tracingMulti } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { attach, attachTracingMulti, loadProgram, runProgram } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';

/** The kernel's own functions for this, which a test run of a fentry program calls. */
const functions = ['bpf_fentry_test1', 'bpf_fentry_test2', 'bpf_fentry_test3'] as const;

kernelTest(tracingMulti, 'one link counts three functions, each with its cookie, at entry, return and both', () => {
  using caller = loadProgram({
    name: 'caller',
    type: 'tracing',
    attachType: 'trace_fentry',
    attachTo: 'bpf_fentry_test1',
    instructions: [mov('r0', 0), exit()],
  });
  const call = (): void => void runProgram(caller);
  for (const [attachType, runs] of [
    ['trace_fentry_multi', 1],
    ['trace_fexit_multi', 1],
    ['trace_fsession_multi', 2],
  ] as const) {
    using counter = counting({ type: 'tracing', attachType }, { mine: true, cookie: true });
    const link = attachTracingMulti(counter.program, { functions, cookies: [5n, 6n, 7n] });
    assert.deepEqual([link.how, link.info()?.type], ['BPF_LINK_CREATE', 'tracing_multi']);
    call();
    assert.equal(counter.count, functions.length * runs, attachType);
    assert.equal(counter.cookie, 7n);
    assert.throws(() => link.update(counter.program), { code: 'NOT_UPDATABLE' });
    assert.throws(() => link.detach(), { code: 'NOT_DETACHABLE' });
    assertCounts(counter, link, call, attachType);
  }
});

kernelTest(tracingMulti, 'by its spec it attaches to one function, and what cannot be traced is refused', () => {
  using counter = counting({ type: 'tracing', attachType: 'trace_fentry_multi', attachTo: 'security_task_setnice' });
  attach(counter.program).close();
  const refused = (functions: readonly string[], cookies?: readonly bigint[]) => () =>
    attachTracingMulti(counter.program, { functions, ...(cookies && { cookies }) });
  assert.throws(refused(['no_such_function']), {
    code: 'NO_TARGET',
    message: "this kernel has no function 'no_such_function' (no func 'no_such_function' in its BTF)",
  });
  assert.throws(refused(['bpf_fentry_test1'], []), { name: 'RangeError', message: 'there are 0 cookies for 1 places' });
  assert.throws(refused([]), {
    code: 'EINVAL',
    message: /the kernel does not attach program 'count', a tracing, as trace_fentry_multi, or not there$/,
  });
  assert.throws(refused(['bpf_fentry_test1', 'bpf_fentry_test1']), { code: 'EINVAL' });
});
