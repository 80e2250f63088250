// Arguments, in programs that are run by BPF_PROG_TEST_RUN of a raw tracepoint: it has the same context, and gets ours.
import assert from 'node:assert/strict';
import { BPF_F_FAST_STACK_CMP, BPF_F_REUSE_STACKID, getStackid } from '@bpf/dsl';
import { ldx, mov } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';
import { btf, fentry, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { run, symbolsAt } from '../../dsl/test/run.ts';
import { Seen, see } from '../../dsl/test/seen.ts';
import { argumentOf, defineFentry, loadArg, prologue, saveArgs } from '../src/index.ts';

const place = (slot: number, size: number, signed: boolean, slots = 1) => ({ slot, slots, size, signed });
const ANY = 0x1234_5678_89ab_cdefn;

kernelTest(rawTracepoint, 'narrow arguments are loaded with their size and sign, whatever is above them', () => {
  using seen = new Seen();
  const registers = ['r6', 'r7', 'r8', 'r9'] as const;
  const load = (signed: boolean) =>
    [1, 2, 4, 8].map((size, i) => loadArg(registers[i] as 'r6', place(1, size, signed)));
  run([load(true), see(0, ...registers)], [0n, ANY], { seen });
  assert.deepEqual(seen.numbers(4), [-0x11n, -0x3211n, -0x7654_3211n, ANY]);
  run([load(false), see(0, ...registers)], [0n, ANY], { seen });
  assert.deepEqual(seen.numbers(4), [0xefn, 0xcdefn, 0x89ab_cdefn, ANY]);
  // What is no number of bytes that can be loaded is all of the slot.
  run([loadArg('r6', place(1, 3, false)), see(0, 'r6')], [0n, ANY], { seen });
  assert.deepEqual(seen.numbers(1), [ANY]);
});

kernelTest(btf, 'an argument is where the types of this kernel say', () => {
  using seen = new Seen();
  // (u64 a, void *b, short c, int d, void *e, u64 f)
  const func = kernelBtf().func('bpf_fentry_test6');
  const [c, d] = [argumentOf(func, 'c'), argumentOf(func, 3)];
  run([loadArg('r6', c), loadArg('r7', d), see(0, 'r6', 'r7')], [1n, 2n, 0x1_fffdn, 0x5_ffff_fffcn], { seen });
  assert.deepEqual(seen.numbers(2), [-3n, -4n]);
});

kernelTest(rawTracepoint, 'twelve arguments are saved, from the fifth on in the stack', () => {
  using seen = new Seen();
  const values = Array.from({ length: 12 }, (_, i) => BigInt(i + 1) * 0x1_0000_0001n);
  const spilled = values.slice(4).map((_, i) => [ldx('dw', 'r0', 'r10', -8 * (i + 1)), see(4 + i, 'r0')]);
  run([saveArgs(12), see(0, 'r6', 'r7', 'r8', 'r9'), spilled], values, { seen });
  assert.deepEqual(seen.numbers(12), values);
  // By their places: narrow ones extended, structs of two slots in a row in the stack.
  const places = [place(0, 4, true), place(1, 16, false, 2), place(3, 1, false)];
  const struct = [0, 1].map((i) => [ldx('dw', 'r0', 'r10', -16 + 8 * i), see(i, 'r0')]);
  run([saveArgs(places), struct, see(2, 'r6', 'r8')], [-5n & 0xffff_ffffn, 11n, 22n, 0x1ffn], { seen });
  assert.deepEqual(seen.numbers(4), [11n, 22n, -5n, 0xffn]);
  run(
    [
      prologue([
        [1, 'r2'],
        [0, 'r1'],
      ]),
      mov('r0', 'r1'),
      see(0, 'r0', 'r2'),
    ],
    [7n, 8n],
    { seen },
  );
  assert.deepEqual(seen.numbers(2), [7n, 8n]);
});

kernelTest(fentry, 'the stack of a function is that of who called it', () => {
  using stacks = createMap({ type: 'stack_trace', maxEntries: 4 });
  using seen = new Seen();
  const info = defineFentry({ function: 'bpf_fentry_test1', btf: kernelBtf() }, () => [
    getStackid('r1', 'stacks', BPF_F_REUSE_STACKID | BPF_F_FAST_STACK_CMP),
    see(0, 'r0'),
  ]);
  using program = loadProgram(info, { maps: { stacks, seen } });
  using _ = attach(program);
  progTestRun(program);
  const symbols = symbolsAt([...(stacks.get(Number(seen.numbers(1)[0])) ?? [])]);
  assert.ok(symbols.includes('bpf_prog_test_run_tracing'), symbols.join(' '));
});
