import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { getPriority, release, setPriority } from 'node:os';
import { type AttachType, PERF_COUNT_SW_CPU_CLOCK, perfEventOpen, rawSyscall, UnavailableError } from '@bpf/sys';
import {
  fentry,
  fexit,
  fmodRet,
  fsession,
  attachKprobe as kprobeFeature,
  kprobeMulti,
  attachLsm as lsmFeature,
  attachPerfEvent as perfEventFeature,
  rawTracepoint,
  tpBtf,
  attachTracepoint as tracepointFeature,
  attachUprobe as uprobeFeature,
  uprobeMulti,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  attach,
  attachKprobe,
  attachKprobeMulti,
  attachLsm,
  attachPerfEvent,
  attachRawTracepoint,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  type Link,
  type Program,
  type VerifierError,
} from '../src/index.ts';
import { assertCounts, type Counting, counting } from './attach-kit.ts';

const GETPPID = process.arch === 'x64' ? 110 : 173;
/** Calls of the kernel, and of the C library, that nothing else here makes. */
const FUNCTION = 'security_task_setnice';
const setNice = (): void => setPriority(getPriority());
const callLibc = (): void => void rawSyscall(GETPPID);

/** A cookie that arrives, or a kernel that says that it has none. */
function assertCookie(
  load: (cookie: boolean) => Counting,
  make: (program: Program, cookie: bigint) => Link,
  act: () => void,
): void {
  using counter = loadOr(load);
  try {
    using _ = make(counter.program, 0x1_0000_0007n);
    act();
    assert.equal(counter.cookie, 0x1_0000_0007n);
  } catch (error) {
    assert.ok(error instanceof UnavailableError, String(error));
    assert.match(error.message, /^cookies of .* need Linux \d\.\d+, and this is /);
  }
}

/** The verifier of a kernel without cookies refuses the helper; one without it still attaches. */
function loadOr(load: (cookie: boolean) => Counting): Counting {
  try {
    return load(true);
  } catch (error) {
    assert.match((error as VerifierError).log ?? String(error), /unknown func|invalid func|cannot use helper/);
    return load(false);
  }
}

/** By its spec, once more. Before Linux 5.13 a tracing program attaches only once. */
function assertCountsAgain(counter: Counting, act: () => void): void {
  try {
    assertCounts(counter, attach(counter.program), act);
  } catch (error) {
    assert.match(String(error), /was attached and closed: before Linux 5.13 such a program attaches only once/);
    assert.match(release(), /^5\.10\./);
  }
}

kernelTest(rawTracepoint, 'a raw tracepoint counts system calls while it is attached', () => {
  using counter = counting({ type: 'raw_tracepoint', attachTo: 'sys_enter' }, { mine: true });
  const link = attachRawTracepoint(counter.program, 'sys_enter');
  assert.equal(link.info()?.type, 'raw_tracepoint');
  assertCounts(counter, link, setNice);
  assertCounts(counter, attach(counter.program), setNice);
});

for (const [feature, attachType, attachTo] of [
  [tpBtf, 'trace_raw_tp', 'sys_enter'],
  [fentry, 'trace_fentry', FUNCTION],
  [fexit, 'trace_fexit', FUNCTION],
  [fmodRet, 'modify_return', FUNCTION],
  [fsession, 'trace_fsession', FUNCTION],
] as const)
  kernelTest(feature, `${attachType} counts while it is attached`, () => {
    using counter = counting({ type: 'tracing', attachType, attachTo }, { mine: true });
    const link = attachTracing(counter.program);
    assert.ok(['tracing', 'raw_tracepoint'].includes(link.info()?.type ?? ''));
    assert.throws(() => link.update(counter.program), {
      code: 'NOT_UPDATABLE',
      message: /^the program of an attachment by (tracing|raw_tracepoint) cannot be replaced: attach the other one/,
    });
    assert.throws(() => link.detach(), { code: 'NOT_DETACHABLE' });
    assertCounts(counter, link, setNice);
    assertCountsAgain(counter, setNice);
  });

for (const [feature, spec, make] of [
  [fentry, { type: 'tracing', attachType: 'trace_fentry', attachTo: FUNCTION }, attachTracing],
  [tpBtf, { type: 'tracing', attachType: 'trace_raw_tp', attachTo: 'sys_enter' }, attachTracing],
  [lsmFeature, { type: 'lsm', attachType: 'lsm_mac', attachTo: 'task_setnice' }, attachLsm],
  [rawTracepoint, { type: 'raw_tracepoint', attachTo: 'sys_enter' }, attach],
  [tracepointFeature, { type: 'tracepoint', attachTo: 'syscalls/sys_enter_setpriority' }, attach],
] as const)
  kernelTest(feature, 'a cookie arrives', () =>
    assertCookie(
      (cookie) => counting(spec, { mine: true, cookie }),
      (program, cookie) => make(program, { cookie }),
      setNice,
    ),
  );

kernelTest(lsmFeature, 'an LSM program sees each file that is opened', () => {
  const spec = { type: 'lsm', attachType: 'lsm_mac', attachTo: 'file_open' } as const;
  const open = () => void readFileSync('/proc/version');
  using counter = counting(spec, { mine: true });
  assertCounts(counter, attachLsm(counter.program), open);
  assertCountsAgain(counter, open);
  try {
    using sleepable = counting({ ...spec, flags: ['sleepable'] }, { mine: true });
    assertCounts(sleepable, attachLsm(sleepable.program), open, 'sleepable');
  } catch (error) {
    // In 5.10 only some hooks are.
    assert.match((error as VerifierError).log ?? String(error), /bpf_lsm_file_open is not sleepable/);
  }
  assert.throws(() => counting({ type: 'lsm', attachType: 'lsm_mac', attachTo: 'no_such_hook' }), {
    code: 'NO_TARGET',
    message: "this kernel has no LSM hook 'no_such_hook' (no func 'bpf_lsm_no_such_hook' in its BTF)",
  });
});

kernelTest(tracepointFeature, 'a tracepoint counts system calls while it is attached', () => {
  const attachTo = 'syscalls/sys_enter_setpriority';
  using counter = counting({ type: 'tracepoint', attachTo }, { mine: true });
  assertCounts(counter, attachTracepoint(counter.program, attachTo), setNice);
  assertCounts(counter, attachTracepoint(counter.program, attachTo, { how: 'perf_event' }), setNice);
  assertCounts(counter, attach(counter.program), setNice);
  const { program } = counter;
  assert.throws(() => attachTracepoint(program, 'sys_enter_setpriority'), {
    code: 'NO_TARGET',
    message:
      /not a tracepoint's category and name, such as 'sched\/sched_switch'; there is 'syscalls\/sys_enter_setpri/,
  });
  assert.throws(() => attachTracepoint(program, 'syscall/sys_enter_setpriority'), {
    message: "this kernel has no tracepoint category 'syscall'; there is 'syscalls/sys_enter_setpriority'",
  });
  assert.throws(() => attachTracepoint(program, 'sched/sched_swish'), {
    message: "this kernel has no tracepoint 'sched_swish' in 'sched'",
  });
});

kernelTest(kprobeFeature, 'kprobes count the entry and the return of a function', () => {
  using counter = counting({ type: 'kprobe', attachTo: FUNCTION }, { mine: true });
  const { program } = counter;
  for (const retprobe of [false, true]) {
    assertCounts(counter, attachKprobe(program, FUNCTION, { retprobe }), setNice, `retprobe ${retprobe}`);
    assertCounts(counter, attachKprobe(program, FUNCTION, { retprobe, how: 'perf_event' }), setNice);
    assertCounts(counter, attach(program, { retprobe }), setNice);
  }
  using start = counting({ type: 'kprobe', attachTo: `${FUNCTION}+0x0` }, { mine: true });
  assertCounts(start, attach(start.program), setNice);
  const link = attachKprobe(program, FUNCTION);
  if (link.how === 'BPF_LINK_CREATE') assert.equal(link.info()?.type, 'perf_event');
  else assert.throws(() => link.pin('/nowhere'), { code: 'NOT_A_LINK' });
  link.close();
  assertCookie(
    (cookie) => counting({ type: 'kprobe' }, { mine: true, cookie }),
    (program, cookie) => attachKprobe(program, FUNCTION, { cookie }),
    setNice,
  );
});

kernelTest(kprobeFeature, 'a kprobe at an offset, and what cannot be probed', () => {
  using counter = counting({ type: 'kprobe' }, { mine: true });
  const { program } = counter;
  const refused = (func: string, offset: number, message: RegExp): void =>
    assert.throws(() => attachKprobe(program, func, { offset }), { code: 'NO_TARGET', message });
  // The function starts with the call of ftrace: 5 bytes, behind endbr64 where the kernel has that.
  const offsets = [4, 5, 9].filter((offset) => {
    try {
      assertCounts(counter, attachKprobe(program, FUNCTION, { offset }), setNice, 'offset');
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'NO_TARGET') return false;
      throw error;
    }
  });
  assert.ok(process.arch !== 'x64' || offsets.length > 0, 'no offset took a probe');
  refused('no_such_function', 0, /^there can be no kprobe at 'no_such_function' \(ENOENT\): this kernel has no such/);
  refused(FUNCTION, 1, /kprobe at 'security_task_setnice' \+ 1 \(\w+\): /);
  // Breakpoints go through it, on every architecture.
  refused('notify_die', 0, /kprobe at 'notify_die' \(EINVAL\): the kernel forbids probes there/);
  assert.throws(() => attachKprobe(program, FUNCTION, { retprobe: true, offset: 4 }), RangeError);
});

kernelTest(kprobeMulti, 'one link counts two functions, each with its cookie', () => {
  using counter = counting({ type: 'kprobe', attachType: 'trace_kprobe_multi' }, { mine: true, cookie: true });
  const { program } = counter;
  const symbols = [FUNCTION, 'security_task_getpgid'];
  for (const retprobe of [false, true]) {
    const link = attachKprobeMulti(program, { symbols, cookies: [5n, 6n], retprobe });
    const info = link.info();
    assert.ok(info?.type === 'kprobe_multi');
    assertCounts(counter, link, setNice);
    assert.equal(counter.cookie, 5n);
  }
  assert.throws(() => attachKprobeMulti(program, { symbols: ['no_such_function'] }), {
    code: 'NO_TARGET',
    message:
      /one of these functions is not there, or cannot be traced \(\w+\): 'no_such_function'; see available_filter/,
  });
});

/** A program that runs at entry and return, where the kernel has such sessions. */
function assertSession(attachType: AttachType, make: (program: Program) => Link, act: () => void): void {
  using counter = counting({ type: 'kprobe', attachType }, { mine: true });
  let link: Link;
  try {
    link = make(counter.program);
  } catch (error) {
    assert.ok(error instanceof UnavailableError, String(error));
    assert.match(error.message, new RegExp(`^${attachType} links need Linux 6\\.1[03], and this is `));
    return;
  }
  act();
  assert.equal(counter.count, 2);
  assertCounts(counter, link, act, attachType);
}

kernelTest(kprobeMulti, 'a session runs at entry and return', () =>
  assertSession('trace_kprobe_session', (program) => attachKprobeMulti(program, { symbols: [FUNCTION] }), setNice),
);

kernelTest(uprobeMulti, 'a session runs at entry and return', () =>
  assertSession(
    'trace_uprobe_session',
    // Of all that this process calls in between, one function is enough.
    (program) => attachUprobeMulti(program, libc(), { symbols: ['getpriority'], pid: process.pid }),
    () => void getPriority(),
  ),
);

/** The C library of this process. */
function libc(): string {
  const [path] = readFileSync('/proc/self/maps', 'utf8').match(/\/\S*(libc\.so|libc-|ld-musl)\S*$/m) ?? [];
  return path ?? assert.fail('no C library is mapped');
}

kernelTest(uprobeFeature, 'uprobes count the entry and the return of a function of the C library', () => {
  using counter = counting({ type: 'kprobe' });
  const { program } = counter;
  const place = { symbol: 'syscall', pid: process.pid };
  for (const retprobe of [false, true]) {
    assertCounts(counter, attachUprobe(program, libc(), { ...place, retprobe }), callLibc, `retprobe ${retprobe}`);
    assertCounts(counter, attachUprobe(program, libc(), { ...place, retprobe, how: 'perf_event' }), callLibc);
  }
  const load = (cookie: boolean) => counting({ type: 'kprobe' }, { mine: true, cookie });
  using mine = load(false);
  assertCounts(mine, attachUprobe(mine.program, libc(), { symbol: 'syscall' }), callLibc, 'all processes');
  assertCookie(load, (program, cookie) => attachUprobe(program, libc(), { ...place, cookie }), callLibc);
});

kernelTest(uprobeFeature, 'what has no uprobe gets a sentence', () => {
  using counter = counting({ type: 'kprobe' });
  const { program } = counter;
  const refused = (path: string, options: object, code: string, message: RegExp): void =>
    assert.throws(() => attachUprobe(program, path, options), { code, message });
  refused(
    libc(),
    { symbol: 'no_such_function' },
    'NO_TARGET',
    /has no function 'no_such_function' in its symbol tables/,
  );
  refused('/no/such', { symbol: 'x' }, 'NO_TARGET', /^'\/no\/such' cannot be opened \(ENOENT\)$/);
  refused(
    '/no/such',
    { offset: 64 },
    'NO_TARGET',
    /no uprobe at offset 64 of '\/no\/such' \(ENOENT\): there is no such f/,
  );
  refused(libc(), { offset: 64, pid: 0x7fff_fff0 }, 'NO_TARGET', /\(ESRCH\): there is no such process/);
  refused(libc(), { offset: 2n ** 40n }, 'NO_TARGET', /\(EINVAL\): it is not a regular file, or the offset is beyond/);
  if (!existsSync('/sys/bus/event_source/devices/kprobe'))
    assert.throws(() => attachKprobe(program, FUNCTION), {
      name: 'UnavailableError',
      message: /^This kernel has no kprobes: .*, for which it needs CONFIG_KPROBE_EVENTS=y\.$/,
    });
  refused('/proc/self/status', { symbol: 'x' }, 'NOT_ELF', /'\/proc\/self\/status', of 0 bytes, cannot be used: /);
});

kernelTest(uprobeMulti, 'one link on a function of the C library, with its cookie', () => {
  using counter = counting({ type: 'kprobe', attachType: 'trace_uprobe_multi' }, { cookie: true });
  const { program } = counter;
  for (const retprobe of [false, true]) {
    const link = attachUprobeMulti(program, libc(), {
      symbols: ['getpid', 'syscall'],
      cookies: [5n, 6n],
      pid: process.pid,
      retprobe,
    });
    assert.equal(link.info()?.type, 'uprobe_multi');
    assertCounts(counter, link, callLibc);
    assert.equal(counter.cookie, 6n);
  }
  assert.throws(() => attachUprobeMulti(program, '/no/such', { offsets: [64n] }), {
    message: "there is no file '/no/such' to attach to (ENOENT)",
  });
  assert.throws(() => attachUprobeMulti(program, libc(), {}), RangeError);
});

kernelTest(perfEventFeature, 'a program runs at each sample of a perf event', () => {
  using counter = counting({ type: 'perf_event' });
  // An emulated processor's timer may come late.
  const burn = (link: Link): void => {
    const [start, before] = [performance.now(), counter.count];
    const soon = (): boolean => performance.now() < start + (link.closed || counter.count > before ? 60 : 10_000);
    while (soon());
  };
  for (const how of [{}, { how: 'perf_event' }] as const) {
    const options = { type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, samplePeriod: 1_000_000 };
    using event = perfEventOpen({ ...options, pid: 0, cpu: -1, disabled: true });
    const link = attachPerfEvent(counter.program, event, how);
    assertCounts(counter, link, () => burn(link));
    assert.ok(event.fd > 0);
  }
});
