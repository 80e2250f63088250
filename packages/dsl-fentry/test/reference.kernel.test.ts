// The examples of the reference page for this DSL, as they are here; each is loaded.
import assert from 'node:assert/strict';
import { u32, u64 } from '@bpf/btf/data';
import {
  currentComm,
  currentPid,
  filterByComm,
  filterByPid,
  ktimeGetNs,
  readField,
  readStructField,
  structPtr,
  zeroStack,
} from '@bpf/dsl';
import { mapIncrement, mapLookup, mapLookupOrInit, mapUpdate } from '@bpf/dsl-maps';
import { jeq, label, mov, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { fentry, fexit, fmodRet, helper } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  buildFentryProgram,
  buildFexitProgram,
  defineFentry,
  defineFexit,
  fentryReturn,
  getArgByName,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
  prologue,
  saveArgs,
  suggestArgSaves,
  validateTarget,
} from '../src/index.ts';

const func = 'tcp_v4_connect';

kernelTest(fentry, 'the examples of the reference: entry', () => {
  const btf = kernelBtf();
  assert.equal(getArgByName(btf, func, 'sk'), 0);
  assert.equal(validateTarget(btf, func).valid, true);
  assert.deepEqual(
    suggestArgSaves(btf, func).map(([, dst]) => dst),
    ['r6', 'r7', 'r8'],
  );
  const sk = structPtr(btf, 'sock', 'r6');
  const bodies = {
    deffentry_instructions: defineFentry({ function: func, btf, args: ['sk', 'uaddr', 'addr_len'] }, () => [])
      .instructions,
    build_fentry_program: buildFentryProgram({
      argSaves: [
        [0, 'r6'],
        [1, 'r7'],
      ],
      body: [mov('r0', 42)],
      returnValue: 0,
    }),
    fentry_prologue: [
      prologue([
        [0, 'r6'],
        [1, 'r7'],
      ]),
      fentryReturn(0),
    ],
    fentry_save_args: [saveArgs(3), fentryReturn(0)],
    filter_by_pid: [filterByPid(1234, 2), fentryReturn(0), fentryReturn(0)],
    filter_by_comm: [filterByComm(-16, 'myprocess', 2), fentryReturn(0), fentryReturn(0)],
    log: [currentPid(), ktimeGetNs(), zeroStack(-16, 16), currentComm(-16), fentryReturn(0)],
    // The page's 8 bytes are more than what struct sock has there, which the verifier knows.
    read_struct_field: [prologue([[0, 'r6']]), readStructField('r0', 'r6', 16, 2), fentryReturn(0)],
    // The page's path, :sk_common :skc_daddr, is not what the struct calls it.
    read_nested_field: [prologue([[0, 'r6']]), readField(sk, 'r0', '__sk_common.skc_daddr'), fentryReturn(0)],
  };
  for (const [name, instructions] of Object.entries(bodies)) {
    using program = loadProgram(makeFentryProgramInfo(name, func, instructions));
    attach(program).close();
  }
});

kernelTest(fexit, 'the examples of the reference: return', () => {
  const btf = kernelBtf();
  const named = defineFexit({ function: func, btf, args: ['sk', 'return'] }, () => []);
  const { returns } = btf.func(func);
  const built = buildFexitProgram({ argSaves: [[0, 'r6']], retReg: 'r7', returns: returns ?? 0, body: [mov('r0', 0)] });
  for (const instructions of [named.instructions, built]) {
    using program = loadProgram(makeFexitProgramInfo('trace_tcp_connect_exit', func, instructions));
    attach(program).close();
  }
});

kernelTest(
  helper('get_func_ret', 'tracing', 'trace_fexit'),
  'the example of the reference: return, without types',
  () => {
    const built = buildFexitProgram({ argSaves: [[0, 'r6']], retReg: 'r7', body: [mov('r0', 0)], returnValue: 0 });
    loadProgram(makeFexitProgramInfo('exit', func, built)).close();
  },
);

kernelTest(fmodRet, 'the example of the reference: fmod_ret', () => {
  const target = 'security_bprm_check';
  loadProgram(makeFmodRetProgramInfo('modify', target, buildFentryProgram({ body: [] }))).close();
});

kernelTest(fentry, 'the examples of the reference: maps', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 16 });
  const body = [
    st('w', 'r10', -16, 1),
    [mov('r0', 0), stx('dw', 'r10', 'r0', -32)],
    mapLookupOrInit('map', -16, -32),
    jeq('r0', 0, 'return'),
    mapLookup('map', -16),
    jeq('r0', 0, 'not_found'),
    mapUpdate('map', -16, -32),
    label('not_found'),
    mapIncrement('map', -16, -32, 1),
  ];
  const program = makeFentryProgramInfo('counter', func, buildFentryProgram({ body }));
  loadProgram(program, { maps: { map } }).close();
});
