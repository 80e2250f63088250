// The same program for each kind, by the names of arguments. tp_btf runs where functions may not be traced, too.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, readFileSync, realpathSync, unlinkSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';
import { copyField, currentPid, filterByPid, probeReadUser, readField, readString, readStructField } from '@bpf/dsl';
import { type Program as Instructions, jne, ldx, mov, st } from '@bpf/insn';
import { attach, kernelBtf, loadProgram } from '@bpf/programs';
import { progTestRun } from '@bpf/sys';
import { btf, fentry, fentryStruct, fexit, fmodRet, helper, tpBtf } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { Seen, see } from '../../dsl/test/seen.ts';
import {
  buildFentryProgram,
  buildFexitProgram,
  defineFentry,
  defineFexit,
  defineFmodRet,
  defineTpBtf,
  type FentryInfo,
  fentryReturn,
  getFuncRet,
  getReturnValue,
  makeFentryProgramInfo,
  makeFexitProgramInfo,
  makeFmodRetProgramInfo,
  makeTpBtfProgramInfo,
  prologue,
  suggestArgSaves,
  validateTarget,
} from '../src/index.ts';

const { EACCES, ENOENT, EOPNOTSUPP } = constants.errno;
const AT_FDCWD = -100n;

/** Loads a program and attaches it while something is done. */
async function during(info: FentryInfo, seen: Seen, act: () => unknown): Promise<void> {
  using program = loadProgram(info, { maps: { seen } });
  using _ = attach(program);
  await act();
}

/** Has the kernel call bpf_fentry_test1(1), 2(2, 3), 3(4, 5, 6), … , which it does when a program for one of them is run. */
function callTests(info: FentryInfo, seen: Seen): void {
  using program = loadProgram(info, { maps: { seen } });
  using _ = attach(program);
  progTestRun(program);
}

const stackNumbers = (index: number, offsets: readonly number[]): Instructions =>
  offsets.map((offset, i) => [ldx('dw', 'r0', 'r10', offset), see(index + i, 'r0')]);

kernelTest(
  fentry,
  'six arguments of all widths by name, two of them in the stack',
  () => {
    using seen = new Seen();
    const options = { function: 'bpf_fentry_test6', btf: kernelBtf(), args: ['f', 'a', 'b', 'c', 'd', 'e'] } as const;
    const info = defineFentry(options, ({ a, b, c, d, e, f }) => [see(0, a, b, c), stackNumbers(3, [d, e]), see(5, f)]);
    assert.equal(info.section, 'fentry/bpf_fentry_test6');
    callTests(info, seen);
    assert.deepEqual(seen.numbers(6), [16n, 17n, 18n, 19n, 20n, 21n]);
  },
  ['root', 'caps'],
);

kernelTest(fentry, 'what is suggested for each test function is what it was called with', () => {
  const last = [0, 1, 3, 6, 10, 15];
  for (const n of [1, 2, 3, 4, 5, 6]) {
    using seen = new Seen();
    const func = `bpf_fentry_test${n}`;
    const saves = suggestArgSaves(kernelBtf(), func);
    const body = see(0, ...saves.map(([, reg]) => reg as 'r6'));
    callTests(makeFentryProgramInfo(func, func, buildFentryProgram({ argSaves: saves, body })), seen);
    const first = BigInt((last[n - 1] as number) + 1);
    assert.deepEqual(
      seen.numbers(saves.length),
      saves.map((_, i) => first + BigInt(i)),
      func,
    );
  }
});

kernelTest(
  fexit,
  'arguments and return value by name, and without their types',
  () => {
    using seen = new Seen();
    const options = { function: 'bpf_fentry_test3', btf: kernelBtf(), args: ['return', 'c'] } as const;
    callTests(
      defineFexit(options, ({ return: result, c }) => see(0, result, c)),
      seen,
    );
    assert.deepEqual(seen.numbers(2), [15n, 6n]);
    const { returns } = kernelBtf().func('bpf_fentry_test3');
    const known = buildFexitProgram({
      argSaves: [[1, 'r6']],
      retReg: 'r7',
      returns: returns ?? 3,
      body: see(0, 'r6', 'r7'),
    });
    callTests(makeFexitProgramInfo('known', 'bpf_fentry_test3', known), seen);
    assert.equal(seen.numbers(2)[1], 15n);
    const plain = [getReturnValue('r6', 3), see(0, 'r6'), fentryReturn()];
    callTests(makeFexitProgramInfo('plain', 'bpf_fentry_test3', plain), seen);
    assert.equal(BigInt.asIntN(32, seen.numbers(1)[0] ?? 0n), 15n);
  },
  ['root', 'caps'],
);

kernelTest(helper('get_func_ret', 'tracing', 'trace_fexit'), 'the kernel says what a function returned', () => {
  using seen = new Seen();
  const asked = buildFexitProgram({ argSaves: [[0, 'r6']], retReg: 'r7', body: see(0, 'r6', 'r7') });
  callTests(makeFexitProgramInfo('asked', 'bpf_fentry_test5', asked), seen);
  assert.deepEqual(
    seen.numbers(2).map((n) => BigInt.asIntN(32, n)),
    [11n, 65n],
  );
  const own = [getFuncRet('r8', -16), see(0, 'r8'), fentryReturn()];
  callTests(makeFexitProgramInfo('own', 'bpf_fentry_test5', own), seen);
  assert.equal(BigInt.asIntN(32, seen.numbers(1)[0] ?? 0n), 65n);
  const early = [getFuncRet('r8', -16), see(0, 'r0'), fentryReturn()];
  callTests(makeFentryProgramInfo('early', 'bpf_fentry_test5', early), seen);
  assert.equal(seen.numbers(1)[0], BigInt(-EOPNOTSUPP), 'nothing is returned yet');
});

kernelTest(fexit, 'numbers below 0 are numbers below 0', async () => {
  using seen = new Seen();
  const options = { function: 'do_sys_openat2', btf: kernelBtf(), args: ['dfd', 'return'] } as const;
  const info = defineFexit(options, ({ dfd, return: result }) => [
    filterByPid(process.pid, 'return'),
    see(0, dfd, result),
  ]);
  await during(info, seen, () => assert.throws(() => openSync('/nonexistent/file', 'r'), /ENOENT/));
  assert.deepEqual(seen.numbers(2), [AT_FDCWD, BigInt(-ENOENT)]);
});

kernelTest(fexit, 'what a function returns is what the process is told', async () => {
  using seen = new Seen();
  const options = { function: 'do_unlinkat', btf: kernelBtf(), args: ['return'] } as const;
  const btfHas = validateTarget(kernelBtf(), 'do_unlinkat');
  // Newer kernels have given it another name.
  const name = btfHas.valid ? 'do_unlinkat' : 'filename_unlinkat';
  const info = defineFexit({ ...options, function: name }, ({ return: result }) => [
    filterByPid(process.pid, 'return'),
    see(0, result),
  ]);
  await during(info, seen, () => assert.throws(() => unlinkSync('/nonexistent-file'), /ENOENT/));
  assert.deepEqual(seen.numbers(1), [BigInt(-ENOENT)]);
});

kernelTest(fentryStruct, 'a struct that is passed by value takes two slots', async () => {
  using seen = new Seen();
  const args = ['sk', 'level', 'optname', 'optlen', 'optval'] as const;
  const options = { function: 'tcp_setsockopt', btf: kernelBtf(), args } as const;
  const info = defineFentry(options, ({ level, optname, optlen, optval }) => [
    filterByPid(process.pid, 'return'),
    jne(optname, 1, 'return'), // TCP_NODELAY
    see(0, level, optname, optlen),
    // Its first half is an address of the process, its second says so.
    stackNumbers(3, [optval + 8]),
    ldx('dw', 'r3', 'r10', optval),
    st('dw', 'r10', -24, 0),
    probeReadUser(-24, 4, 'r3'),
    stackNumbers(4, [-24]),
  ]);
  await during(info, seen, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.setNoDelay(true);
    socket.destroy();
    server.close();
  });
  const [level, optname, optlen, isKernel = -1n, value] = seen.numbers(5);
  assert.deepEqual([level, optname, optlen, isKernel & 1n, value], [6n, 1n, 4n, 0n, 1n]);
});

kernelTest(fmodRet, 'a function is skipped for what its arguments are', async () => {
  using seen = new Seen();
  const options = { function: 'security_task_setnice', btf: kernelBtf(), args: ['nice', 'p', 'return'] } as const;
  const info = defineFmodRet(options, ({ nice, return: before }, { p }) => [
    filterByPid(process.pid, 'return'),
    readField(p, 'r9', 'tgid'),
    see(0, nice, 'r9', before),
    jne(nice, 7, 'return'),
    fentryReturn(-EACCES),
  ]);
  const was = getPriority();
  await during(info, seen, () => {
    assert.throws(() => setPriority(0, 7), /EACCES/);
    assert.deepEqual(seen.numbers(3), [7n, BigInt(process.pid), 0n]);
    setPriority(0, was);
    assert.equal(seen.numbers(1)[0], BigInt(was));
  });
  assert.equal(getPriority(), was);
  const same = makeFmodRetProgramInfo('none', 'security_task_setnice', buildFentryProgram({ body: [] }));
  await during(same, seen, () => setPriority(0, was));
});

const sched_process_fork = 'sched_process_fork';

kernelTest(
  tpBtf,
  'fields through pointers, and texts',
  async () => {
    using seen = new Seen();
    const info = defineTpBtf(
      { tracepoint: sched_process_fork, btf: kernelBtf(), args: [1, 0] },
      (_, { 1: child, 0: parent }) => [
        filterByPid(process.pid, 'return'),
        readField(child, 'r8', 'tgid'),
        readField(child, 'r9', 'real_parent.tgid'),
        see(0, 'r8', 'r9'),
        readField(parent, 'r8', 'real_parent.tgid'),
        readField(parent, 'r9', 'mm.exe_file.f_inode.i_ino'),
        see(2, 'r8', 'r9'),
        copyField(child, 'comm', -16),
        stackNumbers(4, [-16, -8]),
        readString(parent, 'mm.exe_file.f_path.dentry.d_name.name', -32, 32),
        stackNumbers(6, [-32, -24, -16, -8]),
        // A thread of the kernel has no memory of its own, and pointers that are NULL read as 0.
        readField(parent, 'r8', 'real_parent.mm.start_code'),
      ],
    );
    let child = 0;
    await during(info, seen, () => {
      child = spawnSync('/bin/sh', ['-c', 'exit 7']).pid;
    });
    assert.deepEqual(seen.numbers(3), [child, process.pid, process.ppid].map(BigInt));
    assert.equal(seen.text(4, 16), readFileSync('/proc/self/comm', 'utf8').trim());
    assert.equal(seen.text(6, 32), basename(realpathSync('/proc/self/exe')).slice(0, 31));
  },
  ['root', 'caps'],
);

kernelTest(tpBtf, 'arguments by name, where the kernel has the names', async () => {
  using seen = new Seen();
  const options = { tracepoint: sched_process_fork, btf: kernelBtf(), args: ['child'] } as const;
  const info = defineTpBtf(options, ({ child: reg }, { child }) => [
    filterByPid(process.pid, 'return'),
    readField(child, 'r7', 'pid'),
    readStructField('r8', reg, kernelBtf().member('task_struct', 'pid').offset, 4),
    see(0, 'r7', 'r8'),
    currentPid(),
    see(2, 'r0'),
  ]);
  let child = 0;
  await during(info, seen, () => {
    child = spawnSync('/bin/sh', ['-c', 'exit 7']).pid;
  });
  assert.deepEqual(seen.numbers(3), [child, child, process.pid].map(BigInt));
});

kernelTest(tpBtf, 'fields of a socket: in anonymous structs, as bits, and numbers beside pointers', async () => {
  using seen = new Seen();
  const options = { tracepoint: 'inet_sock_set_state', btf: kernelBtf(), args: [0, 1, 2] } as const;
  const info = defineTpBtf(options, ({ 1: before, 2: after }, { 0: sk }) => [
    filterByPid(process.pid, 'return'),
    jne(after, 10, 'return'), // TCP_LISTEN
    see(0, before, after),
    readField(sk, 'r7', '__sk_common.skc_num'),
    readField(sk, 'r8', '__sk_common.skc_family'),
    readField(sk, 'r9', '__sk_common.skc_reuse'),
    see(2, 'r7', 'r8', 'r9'),
    readField(sk, 'r7', 'sk_type'),
    readField(sk, 'r8', 'sk_protocol'),
    see(5, 'r7', 'r8'),
  ]);
  let port = 0;
  await during(info, seen, async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
    server.close();
  });
  const [TCP_CLOSE, TCP_LISTEN, AF_INET, SOCK_STREAM, IPPROTO_TCP] = [7n, 10n, 2n, 1n, 6n];
  // libuv sets SO_REUSEADDR, which is a field of four bits.
  assert.deepEqual(seen.numbers(7), [TCP_CLOSE, TCP_LISTEN, BigInt(port), AF_INET, 1n, SOCK_STREAM, IPPROTO_TCP]);
});

kernelTest(tpBtf, 'the parts by themselves', async () => {
  using seen = new Seen();
  const body = [currentPid(), jne('r0', process.pid, 'return'), see(0, 'r0')];
  const instructions = buildFentryProgram({
    argSaves: [
      [0, 'r6'],
      [1, -8],
    ],
    body,
  });
  await during(makeTpBtfProgramInfo('parts', sched_process_fork, instructions), seen, () => spawnSync('/bin/true'));
  assert.deepEqual(seen.numbers(1), [BigInt(process.pid)]);
});

kernelTest(btf, 'of what can be attached to, the kernel has lists', () => {
  const types = kernelBtf();
  const folder = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'].find((path) =>
    existsSync(`${path}/available_filter_functions`),
  );
  let traceable: string | undefined;
  try {
    traceable = readFileSync(`${folder}/available_filter_functions`, 'utf8');
  } catch {} // forbidden, where functions are not to be traced
  const check = validateTarget(types, 'bpf_fentry_test1', traceable === undefined ? {} : { traceable });
  assert.deepEqual([check.valid, check.paramCount, check.reasons], [true, 1, []]);
  // The kernel's start, whose code is gone.
  if (traceable !== undefined) assert.equal(validateTarget(types, 'start_kernel', { traceable }).valid, false);
  assert.equal(validateTarget(types, 'migrate_disable').valid, false);
  assert.deepEqual(validateTarget(types, 'no_such_function').func, undefined);
  const variadic = validateTarget(types, 'printk').func ? 'printk' : '_printk';
  assert.match(validateTarget(types, variadic).reasons.join(), /takes a variable number of arguments/);
  assert.match(
    validateTarget(types, 'vfs_read', { kind: 'fmod_ret', modifiable: 'vfs_write EI_ETYPE_ERRNO\n' }).reasons.join(),
    /may not be replaced/,
  );
});

kernelTest(fentry, 'what is not valid does not load', () => {
  const load = (func: string): void => {
    const info = makeFentryProgramInfo('invalid', func, [prologue([]), mov('r0', 0), fentryReturn()]);
    loadProgram(info).close();
  };
  load('bpf_fentry_test1');
  const variadic = kernelBtf().find('func', 'printk') ? 'printk' : '_printk';
  assert.throws(() => load(variadic));
  if (kernelBtf().find('func', 'migrate_disable')) assert.throws(() => load('migrate_disable'));
});
