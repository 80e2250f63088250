import { assemble } from '@bpf/insn';
import { expect, test } from 'vitest';
import * as dsl from '../src/index.ts';
import {
  argOffset,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
  prologue,
} from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(dsl).sort()).toMatchInlineSnapshot(`
    [
      "argOffset",
      "fentrySectionName",
      "fexitSectionName",
      "fmodRetSectionName",
      "makeFentryProgramInfo",
      "makeFexitProgramInfo",
      "makeFmodRetProgramInfo",
      "prologue",
    ]
  `);
});

test('the prologue loads arguments from the context array', () => {
  const hex = Array.from(
    assemble(
      prologue([
        [0, 'r6'],
        [1, 'r7'],
      ]),
    ),
    (byte) => byte.toString(16).padStart(2, '0'),
  ).join('');
  expect(hex).toBe('79160000000000007917080000000000');
  expect(argOffset(11)).toBe(88);
});

test('arguments that cannot be loaded are refused', () => {
  expect(() => prologue([[12, 'r6']])).toThrow('argument 12 is not in 0..11, the most that the kernel traces');
  expect(() => prologue([[-1, 'r6']])).toThrow(RangeError);
  expect(() =>
    prologue([
      [0, 'r1'],
      [1, 'r7'],
    ]),
  ).toThrow('argument 0 goes to r1, which the arguments after it are loaded from');
  expect(() =>
    prologue([
      [1, 'r7'],
      [0, 'r1'],
    ]),
  ).not.toThrow();
  // @ts-expect-error r10 is read-only
  prologue([[0, 'r10']]);
});

test('info is inert data, with the section that libbpf knows', () => {
  expect(makeFentryProgramInfo('opens', 'do_sys_openat2', [])).toEqual({
    name: 'opens',
    section: 'fentry/do_sys_openat2',
    type: 'tracing',
    attachType: 'trace_fentry',
    attachTo: 'do_sys_openat2',
    instructions: [],
  });
  expect(makeFexitProgramInfo('x', 'vfs_read', [])).toMatchObject({
    section: 'fexit/vfs_read',
    attachType: 'trace_fexit',
  });
  expect(makeFmodRetProgramInfo('x', 'f', [])).toMatchObject({ section: 'fmod_ret/f', attachType: 'modify_return' });
});
