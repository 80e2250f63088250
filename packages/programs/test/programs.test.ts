import { parseBtf } from '@bpf/btf';
import { exit, mov } from '@bpf/insn';
import { SysError, UnavailableError } from '@bpf/sys';
import { expect, test } from 'vitest';
import { buildBtf, type Record } from '../../btf/test/build.ts';
import * as programs from '../src/index.ts';
import { loadProgram, type ProgramSpec, VerifierError } from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(programs).sort()).toMatchInlineSnapshot(`
    [
      "BpfIterator",
      "Link",
      "Program",
      "ProgramError",
      "VerifierError",
      "attach",
      "kernelBtf",
      "kernelBtfModules",
      "loadProgram",
      "openIterator",
    ]
  `);
});

const spec: ProgramSpec = {
  name: 'test',
  type: 'tracing',
  attachType: 'trace_iter',
  attachTo: 'task',
  instructions: [mov('r0', 0), exit()],
};
const INT: Record = { name: 'int', kind: 1, sizeOrType: 4, extra: [32] };
const func = (name: string): Record => ({ name, kind: 12, sizeOrType: 0 });

test('an old kernel is told from a wrong name', () => {
  const old = parseBtf(buildBtf([INT]));
  expect(() => loadProgram(spec, { btf: old })).toThrow(UnavailableError);
  expect(() => loadProgram(spec, { btf: old })).toThrow(
    'This kernel has no BPF iterators: they need Linux 5.8 or newer.',
  );
  const newer = parseBtf(buildBtf([INT, func('bpf_iter_task')]));
  expect(() => loadProgram({ ...spec, attachTo: 'tasks' }, { btf: newer })).toThrow(
    "this kernel has no iterator 'tasks' (no func 'bpf_iter_tasks' in its BTF)",
  );
  const { attachTo: _, ...nowhere } = spec;
  expect(() => loadProgram(nowhere, { btf: newer })).toThrow(
    "program 'test' does not say which iterator it attaches to (attachTo)",
  );
});

test("the verifier's refusal is told in two lines", () => {
  const log = [
    'func#0 @0',
    '0: R1=ctx() R10=fp0',
    '0: (bf) r0 = r2',
    'R2 !read_ok',
    'processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
    '',
  ].join('\n');
  const error = new VerifierError('oops', new SysError({ code: 'EACCES', errno: 13, syscall: 'bpf', log }));
  expect(error.message).toBe("the verifier refused program 'oops' (EACCES): R2 !read_ok\n  at 0: (bf) r0 = r2");
  expect(error).toMatchObject({ code: 'VERIFIER', log, cause: { code: 'EACCES' } });
});
