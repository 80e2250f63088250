import { parseBtf } from '@bpf/btf';
import { exit, mov } from '@bpf/insn';
import { type ProgType, UnavailableError } from '@bpf/sys';
import { expect, test } from 'vitest';
import { buildBtf, type Record } from '../../btf/test/build.ts';
import * as programs from '../src/index.ts';
import { loadProgram, type ProgramSpec, runWants } from '../src/index.ts';

test('the exported names', () => {
  expect(Object.keys(programs).sort()).toMatchInlineSnapshot(`
    [
      "BpfIterator",
      "Link",
      "Program",
      "ProgramError",
      "RunStats",
      "VerifierError",
      "attach",
      "attachCgroup",
      "attachExt",
      "attachIter",
      "attachKprobe",
      "attachKprobeMulti",
      "attachLsm",
      "attachLwt",
      "attachNetfilter",
      "attachNetkit",
      "attachNetns",
      "attachPerfEvent",
      "attachRawTracepoint",
      "attachReuseport",
      "attachSocketFilter",
      "attachSockmap",
      "attachStructOps",
      "attachTc",
      "attachTracepoint",
      "attachTracing",
      "attachTracingMulti",
      "attachUprobe",
      "attachUprobeMulti",
      "attachXdp",
      "btfs",
      "doctor",
      "eachObject",
      "haveAttach",
      "haveFeature",
      "haveHelper",
      "haveMapType",
      "haveProgType",
      "holders",
      "jited",
      "kernelBtf",
      "kernelBtfModules",
      "links",
      "loadProgram",
      "maps",
      "openIterator",
      "pins",
      "probeAll",
      "programs",
      "runProgram",
      "runWants",
      "watchRuns",
      "xlated",
    ]
  `);
});

test('what a program wants when it is run', () => {
  expect(['xdp', 'sk_lookup', 'syscall', 'kprobe', 4711].map((type) => runWants(type as ProgType))).toEqual([
    'data',
    'ctx',
    undefined,
    undefined,
    undefined,
  ]);
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
