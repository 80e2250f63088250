// What any program can do, run by BPF_PROG_TEST_RUN of a raw tracepoint: it has the context that it is given.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { char, struct, u8, u16, u32 } from '@bpf/btf/data';
import {
  add,
  call,
  exit,
  type Program as Instructions,
  ja,
  jeq,
  jne,
  jne32,
  label,
  lddw,
  ldx,
  mov,
  st,
  sub,
} from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { withScope } from '@bpf/sys';
import { mapType, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  argReg,
  BPF_F_USER_STACK,
  block,
  callHelper,
  currentComm,
  currentGid,
  currentPid,
  currentTid,
  currentUid,
  fieldAt,
  filterByComm,
  filterByPid,
  getStack,
  getStackid,
  htonl,
  htons,
  ktimeGetNs,
  probeReadKernel,
  probeReadKernelStr,
  probeReadUser,
  probeReadUserStr,
  setField,
  stackRecord,
  zeroGaps,
  zeroStack,
} from '../src/index.ts';
import { run, symbolsAt } from './run.ts';
import { Seen, see } from './seen.ts';

kernelTest(rawTracepoint, 'a sequence with labels of its own runs wherever it stands, backwards too', () => {
  // r0 += 1 + 2 + … + r1
  const addUpTo = block([
    label('again'),
    jeq('r1', 0, 'done'),
    [add('r0', 'r1'), lddw('r2', 1n << 40n)],
    sub('r1', 1),
    ja('again'),
    label('done'),
  ]);
  using seen = new Seen();
  run([mov('r0', 0), mov('r1', 4), addUpTo, mov('r1', 3), addUpTo, see(0, 'r0')], [], { seen });
  assert.deepEqual(seen.numbers(1), [10n + 6n]);
});

kernelTest(rawTracepoint, 'helpers get the arguments that they are to', () => {
  using seen = new Seen();
  const BPF_FUNC_get_current_comm = 16;
  const byHand = [[mov(argReg(0), 'r10'), add(argReg(0), -16), mov(argReg(1), 16)], call(BPF_FUNC_get_current_comm)];
  const called = callHelper('comm', BPF_FUNC_get_current_comm, [{ memory: -16, bytes: 16 }, 16]);
  for (const program of [byHand, called]) {
    run([zeroStack(-16, 16), program, ldx('dw', 'r7', 'r10', -16), see(0, 'r7')], [], { seen });
    assert.equal(seen.text(0, 8), readFileSync('/proc/self/comm', 'utf8').trim().slice(0, 8));
  }
});

kernelTest(rawTracepoint, 'numbers in the byte order of the network compare with those in memory', () => {
  withScope((scope) => {
    const address = scope.copy(Uint8Array.of(0x1f, 0x90, 0, 0, 192, 168, 1, 200));
    const matches = (port: number, host: number) =>
      run(
        [
          [ldx('dw', 'r6', 'r1', 0), probeReadUser(-8, 8, 'r6')],
          [ldx('h', 'r1', 'r10', -8), jne('r1', htons(port), 'out')],
          [ldx('w', 'r1', 'r10', -4), jne32('r1', htonl(host), 'out')],
          [mov('r0', 1), exit(), label('out')],
        ],
        [BigInt(address)],
      );
    assert.equal(matches(8080, 0xc0a8_01c8), 1);
    assert.equal(matches(0x901f, 0xc0a8_01c8), 0);
    assert.equal(matches(8080, 0xc801_a8c0), 0);
  });
});

kernelTest(rawTracepoint, 'a record has its fields, and nothing of what was there before', () => {
  using seen = new Seen();
  const Row = struct({ flag: u8, pid: u32, comm: char(16), last: u16 });
  const row = stackRecord(Row, -32);
  const words = [0, 1, 2, 3].map((i) => [ldx('dw', 'r7', 'r10', row.at + 8 * i), see(i, 'r7')]);
  const dirty = [0, 1, 2, 3].map((i) => st('dw', 'r10', row.at + 8 * i, -1));
  const fill = [
    setField(row, 'pid', currentPid()),
    [zeroStack(fieldAt(row, 'comm'), 16), currentComm(fieldAt(row, 'comm'))],
    [setField(row, 'flag', 7), setField(row, 'last', 9)],
    zeroGaps(row),
  ];
  run([dirty, fill, words], [], { seen });
  const bytes = seen.bytes(0, 32);
  const comm = readFileSync('/proc/self/comm', 'utf8').trim();
  assert.deepEqual(Row.decode(bytes.subarray(0, Row.size)), { flag: 7, pid: process.pid, comm, last: 9 });
  assert.deepEqual([...bytes.subarray(1, 4), ...bytes.subarray(26, 28)], [0, 0, 0, 0, 0]);
  assert.equal(Row.size, 28);
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
  const program = (pid: number) => [filterByPid(pid, 'out'), [mov('r0', 1), exit()], label('out')];
  assert.equal(run(program(process.pid)), 1);
  assert.equal(run(program(process.pid + 1)), 0);
  assert.equal(run([filterByPid(1, 2), [mov('r0', 1), exit()]]), 0, 'by slots');
});

kernelTest(rawTracepoint, 'goes on for threads of one name, of any length', () => {
  const was = readFileSync('/proc/self/comm', 'latin1').trim();
  const matches = (name: string) => run([filterByComm(-16, name, 'out'), [mov('r0', 1), exit()], label('out')]) === 1;
  // By slots, behind what both comparisons skip.
  const skips = (name: string) => run([filterByComm(-32, name, 2), [mov('r0', 1), exit()]]) === 0;
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
    assert.equal(run([dirty, filterByComm(-16, 'short', 'out'), [mov('r0', 1), exit()], label('out')]), 1);
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
      run([ldx('dw', 'r6', 'r1', 0), zeroStack(-16, 16), program, see(2, 'r0'), numbers], [BigInt(address)], { seen });
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
  // The innermost is where the program called, which is another place for each; arm64 has it twice.
  const callers = (addresses: readonly bigint[]) => addresses.slice(addresses.lastIndexOf(addresses[0] ?? 0n) + 1);
  const now = seen
    .numbers(10)
    .slice(2, 2 + Math.min(stack.length, 8))
    .map((word) => BigInt.asUintN(64, word));
  assert.deepEqual(callers(now), callers(stack.slice(0, 8)));
  const symbols = symbolsAt(stack);
  assert.ok(symbols.includes('bpf_prog_test_run_raw_tp'), symbols.join(' '));
  // Not everywhere can the process's stack be unwound; that it was asked for shows in its addresses.
  run([zeroStack(-64, 64), getStack('r1', -64, 64, BPF_F_USER_STACK), see(0, 'r0'), words], [], { seen });
  const [length = 0n, , first = 0n] = seen.numbers(3);
  assert.ok(length < 0n || BigInt.asUintN(64, first) < 1n << 63n, `${length} ${first}`);
});
