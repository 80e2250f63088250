import { type ProgType, SysError, UnavailableError } from '@bpf/sys';
import { expect, test } from 'vitest';
import { type RunOptions, runProgram } from '../src/index.ts';
import { attempt, remembered, unsure, yes } from '../src/know/answer.ts';

test('an answer is kept when it is one', () => {
  let asked = 0;
  const count = () => unsure(String(++asked));
  expect(remembered('test/unsure', count)).toEqual({ supported: undefined, reason: '1' });
  expect(remembered('test/unsure', count)).toEqual({ supported: undefined, reason: '2' });
  expect(remembered('test/unsure', () => yes)).toBe(yes);
  expect(remembered('test/unsure', count)).toBe(yes);
});

test('what is no answer of the kernel is not taken for one', () => {
  const bug = new TypeError('bug');
  expect(() =>
    attempt({ what: 'things' }, () => {
      throw bug;
    }),
  ).toThrow(bug);
});

test.each([
  // No call was made, for want of something else.
  [new UnavailableError('no types'), { supported: undefined, reason: 'no types' }],
  [new UnavailableError('No bpf(2).', { errno: 38 }), { supported: false, reason: 'No bpf(2)' }],
  // A refusal, even one that others take for a sign, says nothing when it is about permission.
  [
    new UnavailableError('No permission.', { code: 'EPERM', errno: 1 }),
    { supported: undefined, reason: 'No permission' },
  ],
  [new SysError({ code: 'EBADF', errno: 9, syscall: 'bpf' }), { supported: true }],
  [new SysError({ code: 'EIO', errno: 5, syscall: 'bpf' }), { supported: undefined, reason: 'bpf failed with EIO' }],
])('%s', (error, answer) => {
  const run = () => {
    throw error;
  };
  expect(attempt({ what: 'things' }, run, ({ code }) => code === 'EBADF')).toEqual(answer);
});

test('options that a type does not take are refused before the call', () => {
  const run = (type: ProgType, options: RunOptions, attachType?: 'trace_iter' | 'trace_fentry') =>
    // No descriptor: a call would fail with another error.
    runProgram({ fd: -1, spec: { name: 'p', type, ...(attachType && { attachType }) } }, options);
  const packet = new Uint8Array(64);
  expect(() => run('kprobe', {})).toThrow("program 'p', a kprobe, cannot be run without being attached");
  expect(() => run('tracing', {}, 'trace_iter')).toThrow("program 'p', a trace_iter, cannot be run");
  expect(() => run('tracing', { data: packet }, 'trace_fentry')).toThrow(
    'takes no data when it is run; nothing it does',
  );
  expect(() => run('raw_tracepoint', { data: packet })).toThrow('takes no data when it is run; ctx, cpu it does');
  expect(() => run('xdp', {})).toThrow('wants a packet (data)');
  expect(() => run('sched_cls', { data: new Uint8Array(13) })).toThrow(
    'the packet has 13 bytes; a sched_cls wants at least 14',
  );
});
