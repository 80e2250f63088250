import assert from 'node:assert/strict';
import { type BtfTypeData, encodeBtf } from '@bpf/btf/build';
import { assemble, callSubprog, exit, label, mov } from '@bpf/insn';
import { btfLoad, type Fd, progLoad, progTestRun } from '@bpf/sys';
import { attachExt as extFeature } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { attach, attachExt, loadProgram } from '../src/index.ts';
import { assertCounts, type Counting, counting } from './attach-kit.ts';

const XDP_DROP = 1;
const XDP_PASS = 2;
const PACKET = { data: new Uint8Array(64) };

/** `int decide(struct xdp_md *ctx) { return XDP_PASS; } int whole(struct xdp_md *ctx) { return decide(ctx); }` */
function loadTarget(): Fd {
  const types: BtfTypeData[] = [
    { kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' },
    { kind: 'struct', name: 'xdp_md', size: 24, members: [] },
    { kind: 'ptr', typeId: 2 },
    { kind: 'func_proto', returnTypeId: 1, params: [{ name: 'ctx', typeId: 3 }] },
    { kind: 'func', name: 'whole', typeId: 4, linkage: 'global' },
    { kind: 'func', name: 'decide', typeId: 4, linkage: 'global' },
  ];
  const insns = assemble([callSubprog('decide'), exit(), label('decide'), mov('r0', XDP_PASS), exit()]);
  using btf = btfLoad(encodeBtf(types));
  const funcInfo = { bytes: new Uint8Array(Uint32Array.of(0, 5, 2, 6).buffer), recordSize: 8 };
  return progLoad({ type: 'xdp', insns, license: 'GPL', name: 'target', btf, funcInfo });
}

const replacement = (target: Fd): Counting =>
  counting({ type: 'ext', attachTo: 'decide' }, { result: XDP_DROP, target });

kernelTest(extFeature, 'a function of a program is replaced while the link lives', () => {
  using target = loadTarget();
  assert.equal(progTestRun(target, PACKET).retval, XDP_PASS);
  for (const how of ['its own', 'attach', 'named', 'another'] as const) {
    using counter = replacement(target);
    using other = loadTarget();
    const place = { program: how === 'another' ? other : target, func: 'decide' };
    const link =
      how === 'attach' ? attach(counter.program) : attachExt(counter.program, how === 'its own' ? undefined : place);
    assert.equal(link.info()?.type, 'tracing');
    assert.equal(progTestRun(place.program, PACKET).retval, XDP_DROP);
    assertCounts(counter, link, () => progTestRun(place.program, PACKET), `ext ${how}`);
    assert.equal(progTestRun(place.program, PACKET).retval, XDP_PASS);
  }
  assert.throws(() => counting({ type: 'ext', attachTo: 'no_such' }, { target }), {
    code: 'NO_TARGET',
    message: "program 'target' has no function 'no_such'",
  });
  assert.throws(() => counting({ type: 'ext', attachTo: 'decide' }), {
    message: /which function \(attachTo\) of which/,
  });
  using plain = loadProgram({ name: 'plain', type: 'xdp', instructions: [mov('r0', XDP_PASS), exit()] });
  assert.throws(() => replacement(plain), { message: /^program 'plain' was loaded without types \(BTF\)/ });
});
