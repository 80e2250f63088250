// What any program can do, run by BPF_PROG_TEST_RUN of a raw tracepoint: it has the same context, and gets ours.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { exit, type Program as Instructions, label, ldx, mov, st } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { progTestRun, withScope } from '@bpf/sys';
import { fentry, mapType, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  BPF_F_FAST_STACK_CMP,
  BPF_F_REUSE_STACKID,
  BPF_F_USER_STACK,
  currentComm,
  currentGid,
  currentPid,
  currentTid,
  currentUid,
  defineFentry,
  fentryReturn,
  filterByComm,
  filterByPid,
  getStack,
  getStackid,
  ktimeGetNs,
  loadArg,
  probeReadKernel,
  probeReadKernelStr,
  probeReadUser,
  probeReadUserStr,
  prologue,
  saveArgs,
  zeroStack,
} from '../src/index.ts';
import { Seen, see } from './seen.ts';

/** Runs a program in this thread with these slots, and returns its r0 as a signed 32-bit number. */
function run(
  instructions: Instructions,
  slots: readonly bigint[] = [],
  maps: Record<string, { readonly fd: number }> = {},
): number {
  const spec = { name: 'run', type: 'raw_tracepoint', instructions: [instructions, mov('r0', 0), exit()] } as const;
  using program = loadProgram(spec, { maps });
  const ctx = new Uint8Array(BigUint64Array.from(slots, (slot) => BigInt.asUintN(64, slot)).buffer);
  return progTestRun(program, slots.length > 0 ? { ctx } : {}).retval | 0;
}

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

kernelTest(rawTracepoint, 'who is running, and when', () => {
  using seen = new Seen();
  const all = [currentPid(), currentTid(), currentUid(), currentGid(), ktimeGetNs()].map((one, i) => [
    one,
    see(i, 'r0'),
  ]);
  const before = process.hrtime.bigint();
  run(all, [], { seen });
  const after = process.hrtime.bigint();
  const [pid, tid, uid, gid, time = 0n] = seen.numbers(5);
  assert.deepEqual(
    [pid, tid, uid, gid],
    [process.pid, process.pid, process.getuid?.(), process.getgid?.()].map((n) => BigInt(n ?? -1)),
  );
  // Both are CLOCK_MONOTONIC.
  assert.ok(time >= before && time <= after, `${before} ${time} ${after}`);
});

kernelTest(rawTracepoint, 'goes on for one process', () => {
  const program = (pid: number) => [filterByPid(pid, 'out'), fentryReturn(1), label('out')];
  assert.equal(run(program(process.pid)), 1);
  assert.equal(run(program(process.pid + 1)), 0);
  assert.equal(run([filterByPid(1, 2), fentryReturn(1)]), 0, 'by slots');
});

kernelTest(rawTracepoint, 'goes on for threads of one name, of any length', () => {
  const was = readFileSync('/proc/self/comm', 'latin1').trim();
  const matches = (name: string) => run([filterByComm(-16, name, 'out'), fentryReturn(1), label('out')]) === 1;
  // By slots, behind what both comparisons skip.
  const skips = (name: string) => run([filterByComm(-32, name, 2), fentryReturn(1)]) === 0;
  try {
    for (const name of [
      'a',
      'bash',
      'nginx',
      'eight888',
      'myprocess',
      'fifteen-bytes-x',
      '\xff\xfe\xfd\xfc',
      'žluťoučký',
    ]) {
      writeFileSync('/proc/self/comm', name);
      assert.ok(matches(name), name);
      assert.ok(!skips(name), name);
      const others = [`${name.slice(0, -1)}!`, name.slice(1), `${name}x`, `x${name}`, name.toUpperCase()];
      for (const other of others.filter((other) => other !== '' && other !== name && Buffer.byteLength(other) < 16)) {
        assert.ok(!matches(other), `${name} is not ${other}`);
        assert.ok(skips(other), `${name} is not ${other}`);
      }
    }
    // As in a C program, whose stack holds something.
    writeFileSync('/proc/self/comm', 'short');
    const dirty = [st('dw', 'r10', -16, -1), st('dw', 'r10', -8, -1)];
    assert.equal(run([dirty, filterByComm(-16, 'short', 'out'), fentryReturn(1), label('out')]), 1);
    using seen = new Seen();
    run([zeroStack(-16, 16), currentComm(-16), ldx('dw', 'r6', 'r10', -16), see(0, 'r6')], [], { seen });
    assert.equal(seen.text(0, 8), 'short');
  } finally {
    writeFileSync('/proc/self/comm', was);
  }
});

kernelTest(rawTracepoint, "copies the process's memory", () => {
  using seen = new Seen();
  withScope((scope) => {
    const address = scope.copy(Buffer.from('a path\0and more\0'));
    const read = (program: Instructions) => {
      const numbers = [0, 1].map((i) => [ldx('dw', 'r7', 'r10', -16 + 8 * i), see(i, 'r7')]);
      run([loadArg('r6', 0), zeroStack(-16, 16), program, see(2, 'r0'), numbers], [BigInt(address)], { seen });
      return [Buffer.from(seen.bytes(0, 16)).toString(), seen.numbers(3)[2]];
    };
    assert.deepEqual(read(probeReadUser(-16, 16, 'r6')), ['a path\0and more\0', 0n]);
    assert.deepEqual(read(probeReadUserStr(-16, 16, 'r6')), ['a path'.padEnd(16, '\0'), 7n]);
    assert.deepEqual(read(probeReadUserStr(-16, 4, 'r6')), ['a p'.padEnd(16, '\0'), 4n]);
    // What is not the kernel's is not read as the kernel's.
    const [, error] = read(probeReadKernel(-16, 16, 'r6')) as [string, bigint];
    assert.ok(error < 0n);
    assert.ok((read(probeReadKernelStr(-16, 16, 'r6'))[1] as bigint) < 0n);
  });
});

const stackTrace = mapType('stack_trace', () => createMap({ type: 'stack_trace', maxEntries: 4 }));

kernelTest(stackTrace, 'remembers the stack', () => {
  using stacks = createMap({ type: 'stack_trace', maxEntries: 4 });
  using seen = new Seen();
  const words = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => [ldx('dw', 'r7', 'r10', -64 + 8 * i), see(2 + i, 'r7')]);
  run(
    [
      mov('r6', 'r1'),
      getStackid('r1', 'stacks'),
      see(0, 'r0'),
      zeroStack(-64, 64),
      getStack('r6', -64, 64),
      see(1, 'r0'),
      words,
    ],
    [],
    {
      seen,
      stacks,
    },
  );
  const [id = -1n, bytes] = seen.numbers(2);
  const stack = [...(stacks.get(Number(id)) ?? [])];
  assert.equal(bytes, BigInt(8 * Math.min(stack.length, 8)));
  // The innermost is where the program called, which is another place for each.
  const now = seen
    .numbers(10)
    .slice(2, 2 + Math.min(stack.length, 8))
    .map((word) => BigInt.asUintN(64, word));
  assert.deepEqual(now.slice(1), stack.slice(1, 8));
  const symbols = symbolsAt(stack);
  assert.ok(symbols.includes('bpf_prog_test_run_raw_tp'), symbols.join(' '));
  // Not everywhere can the process's stack be unwound; that it was asked for shows in its addresses.
  run([zeroStack(-64, 64), getStack('r1', -64, 64, BPF_F_USER_STACK), see(0, 'r0'), words], [], { seen });
  const [length = 0n, , first = 0n] = seen.numbers(3);
  assert.ok(length < 0n || BigInt.asUintN(64, first) < 1n << 63n, `${length} ${first}`);
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

/** The functions that these addresses are in, by /proc/kallsyms. */
function symbolsAt(addresses: readonly bigint[]): string[] {
  const found = new Map<bigint, [bigint, string]>();
  for (const line of readFileSync('/proc/kallsyms', 'latin1').split('\n')) {
    const [hex, , name = ''] = line.split(/\s/);
    const at = BigInt(`0x${hex || 0}`);
    for (const address of addresses)
      if (at <= address && at > (found.get(address)?.[0] ?? 0n)) found.set(address, [at, name]);
  }
  return addresses.map((address) => found.get(address)?.[1] ?? '');
}
