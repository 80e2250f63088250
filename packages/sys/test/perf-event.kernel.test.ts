import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  perfKprobe,
  perfSoftware,
  perfTracepoint,
  perfUprobe,
  unprivileged,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  type Fd,
  fileRead,
  mmap,
  PERF_COUNT_SW_CPU_CLOCK,
  type PerfEventOptions,
  pageSize,
  perfEventDisable,
  perfEventEnable,
  perfEventOpen,
  perfEventSetBpf,
  pollFd,
  tracepointId,
  UnavailableError,
} from '../src/index.ts';
import { getLibc } from '../src/libc.ts';
import { loadCounting, makeCounter, readCounter } from './count-program.ts';

const CPU_CLOCK: PerfEventOptions = { type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, pid: 0, cpu: -1 };
const MILLISECOND = 1_000_000;

/** Keeps this thread busy. */
function burn(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

function countOf(event: Fd): bigint {
  return new DataView(fileRead(event, 8).buffer).getBigUint64(0, true);
}

kernelTest(
  perfSoftware,
  'an event counts while it is enabled',
  () => {
    using event = perfEventOpen({ ...CPU_CLOCK, samplePeriod: 0, disabled: true });
    burn(2);
    assert.equal(countOf(event), 0n);
    perfEventEnable(event);
    burn(5);
    perfEventDisable(event);
    const count = countOf(event);
    assert.ok(count >= BigInt(MILLISECOND), `${count} ns`);
    burn(2);
    assert.equal(countOf(event), count);
    using member = perfEventOpen({ ...CPU_CLOCK, samplePeriod: 0, groupFd: event });
    assert.ok(member.fd > event.fd);
  },
  ['root', 'caps'],
);

kernelTest(perfSoftware, 'a program runs at each sample', () => {
  using counter = makeCounter();
  using prog = loadCounting('perf_event', counter);
  using event = perfEventOpen({ ...CPU_CLOCK, samplePeriod: MILLISECOND, disabled: true });
  perfEventSetBpf(event, prog);
  perfEventEnable(event);
  burn(100);
  event.close();
  const count = readCounter(counter);
  assert.ok(count > 0 && count <= 200, `${count} samples`);
});

kernelTest(perfSoftware, 'a program runs so many times a second', () => {
  using counter = makeCounter();
  using prog = loadCounting('perf_event', counter);
  using event = perfEventOpen({ ...CPU_CLOCK, sampleFreq: 100, disabled: true });
  perfEventSetBpf(event, prog);
  perfEventEnable(event);
  burn(200);
  event.close();
  const count = readCounter(counter);
  assert.ok(count > 0 && count <= 40, `${count} samples`);
});

kernelTest(perfSoftware, 'samples wake up whoever waits, and lie in the memory that is mapped', async () => {
  const TID = 2;
  using event = perfEventOpen({ ...CPU_CLOCK, samplePeriod: MILLISECOND, sampleType: TID, disabled: true });
  using mapping = mmap({ fd: event, length: 2 * pageSize(), prot: 'read-write' });
  const page = new DataView(mapping.bytes.buffer);
  const head = (): bigint => page.getBigUint64(1024, true);
  assert.equal(head(), 0n);
  assert.equal(await pollFd(event), true); // the first always does
  for (let round = 0; round < 3; round++) {
    const before = head();
    const wait = pollFd(event);
    perfEventEnable(event);
    burn(20);
    perfEventDisable(event);
    assert.equal(await wait, true);
    assert.ok(head() > before);
    // What came while nobody waited ends the next wait.
    perfEventEnable(event);
    burn(20);
    perfEventDisable(event);
    assert.equal(await pollFd(event), true);
    await idle(event);
  }
  assert.equal(page.getUint32(pageSize(), true), 9); // PERF_RECORD_SAMPLE
});

/** Waits until nothing has come for a while. */
async function idle(event: Fd): Promise<void> {
  for (;;) {
    const aborted = await pollFd(event, { signal: AbortSignal.timeout(20) }).then(
      () => false,
      () => true,
    );
    if (aborted) return;
  }
}

kernelTest(perfSoftware, 'a wait for an event of a process ends with that', async () => {
  const child = spawn('sleep', ['0.2']);
  using event = perfEventOpen({ ...CPU_CLOCK, pid: child.pid ?? 0, disabled: true });
  using mapping = mmap({ fd: event, length: 2 * pageSize(), prot: 'read-write' });
  assert.equal(mapping.bytes[1024], 0);
  while (await pollFd(event));
});

kernelTest(perfTracepoint, 'a program runs at a tracepoint', async () => {
  using counter = makeCounter();
  using prog = loadCounting('tracepoint', counter);
  using event = perfEventOpen({ type: 'tracepoint', config: tracepointId('sched', 'sched_switch'), disabled: true });
  perfEventSetBpf(event, prog);
  perfEventEnable(event);
  await sleep(20);
  assert.ok(readCounter(counter) > 0);
  assert.throws(() => tracepointId('sched', 'no_such_tracepoint'), UnavailableError);
});

kernelTest(perfKprobe, 'a program runs at the entry of a function of the kernel', () => {
  using counter = makeCounter();
  using prog = loadCounting('kprobe', counter);
  using event = perfEventOpen({ type: 'kprobe', config: 0, config1: 'do_sys_openat2', disabled: true });
  perfEventSetBpf(event, prog);
  perfEventEnable(event);
  for (let n = 0; n < 3; n++) closeSync(openSync('/proc/version', 'r'));
  assert.ok(readCounter(counter) >= 3);
  assert.throws(() => perfEventOpen({ type: 'kprobe', config: 0, config1: 'no_such_function' }), { code: 'ENOENT' });
});

kernelTest(perfUprobe, 'a program runs at the entry of a function of a library', () => {
  const { koffi } = getLibc();
  const libc = koffi.load(null);
  const getppid = libc.func('int getppid()') as () => number;
  const { path, offset } = fileOffset(koffi.address(libc.symbol('getppid')));
  using counter = makeCounter();
  using prog = loadCounting('kprobe', counter);
  using event = perfEventOpen({ type: 'uprobe', config: 0, config1: path, config2: offset, pid: 0, cpu: -1 });
  perfEventSetBpf(event, prog);
  for (let n = 0; n < 3; n++) getppid();
  perfEventDisable(event);
  assert.equal(readCounter(counter), 3);
});

/** Where an address of this process is in the file that is mapped there. */
function fileOffset(address: bigint): { path: string; offset: bigint } {
  for (const line of readFileSync('/proc/self/maps', 'utf8').split('\n')) {
    const [range = '', , offset = '', , , path = ''] = line.split(/ +/);
    const [from = 0n, to = 0n] = range.split('-').map((hex) => BigInt(`0x${hex || 0}`));
    if (from <= address && address < to) return { path, offset: address - from + BigInt(`0x${offset}`) };
  }
  throw new Error(`nothing is mapped at ${address}`);
}

kernelTest(
  unprivileged,
  'the unprivileged are told what they need',
  () => {
    assert.throws(
      () => perfEventOpen({ type: 'software', config: PERF_COUNT_SW_CPU_CLOCK, pid: -1, cpu: 0 }),
      (error) => error instanceof UnavailableError && error.code === 'EACCES' && /CAP_PERFMON/.test(error.message),
    );
  },
  ['none'],
);
