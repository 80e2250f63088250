import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { iterator, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';

interface Row {
  pid: number;
  tgid: number;
  comm: string;
  state: string;
}

const bpf = join(jobFolder, 'cli/bpf.cjs');

/** `bpf iter task --json`, run as a user would. */
function iterTask(): Map<number, Row> {
  const { status, stdout, stderr } = run([process.execPath, bpf, 'iter', 'task', '--json']);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
  assert.equal(new Set(rows.map(({ pid }) => pid)).size, rows.length, 'no thread twice');
  return new Map(rows.map((row) => [row.pid, row]));
}

function run([file = '', ...args]: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(file, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** What /proc shows of a thread; undefined when it is gone. */
interface Thread {
  tgid: number;
  comm: string;
  kernel: boolean;
}

function thread(tgid: number, tid: number): Thread | undefined {
  try {
    const stat = readFileSync(`/proc/${tgid}/task/${tid}/stat`, 'latin1');
    const flags = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[6]);
    const comm = readFileSync(`/proc/${tgid}/task/${tid}/comm`, 'utf8').slice(0, -1);
    return { tgid, comm, kernel: (flags & 0x0020_0000) !== 0 };
  } catch {
    return undefined;
  }
}

function procThreads(): Map<number, Thread> {
  const threads = new Map<number, Thread>();
  for (const tgid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      for (const tid of readdirSync(`/proc/${tgid}/task`)) {
        const found = thread(Number(tgid), Number(tid));
        if (found) threads.set(Number(tid), found);
      }
    } catch {} // the process ended meanwhile
  }
  return threads;
}

/** Checks every thread that lived through the run against /proc; returns what was listed, and how many were checked. */
function compareWithProc(): { listed: Map<number, Row>; compared: number } {
  const before = procThreads();
  const listed = iterTask();
  const missing: number[] = [];
  let compared = 0;
  for (const [tid, { tgid, comm, kernel }] of before) {
    const after = thread(tgid, tid);
    if (after?.comm !== comm) continue; // it ended, or was renamed
    const row = listed.get(tid);
    if (!row) {
      missing.push(tgid);
      continue;
    }
    compared++;
    assert.equal(row.tgid, tgid);
    // /proc shows more of a kernel thread's name than the 15 characters of its comm, and what a worker works on.
    if (kernel) assert.ok(comm.startsWith(row.comm), `${comm} begins with ${row.comm}`);
    else assert.equal(row.comm, comm.replace(/\\n/g, '\n').replace(/\\\\/g, '\\'));
  }
  // Some kernels hide the threads of PID 1 from BPF.
  assert.deepEqual(
    [...new Set(missing)].filter((tgid) => tgid !== 1),
    [],
  );
  return { listed, compared };
}

const task = iterator('task');

kernelTest(
  task,
  'bpf iter task lists what /proc lists',
  () => {
    const { listed, compared } = compareWithProc();
    assert.ok(compared > 1);
    assert.equal(listed.get(process.pid)?.tgid, process.pid);
  },
  ['root', 'caps'],
);

kernelTest(task, 'bpf iter task lists a thousand threads more', async () => {
  // libuv makes all its threads at the first use.
  const script = 'require("fs").stat("/", () => { console.log("ready"); setInterval(() => {}, 1000); })';
  const child = spawn(process.execPath, ['-e', script], {
    env: { ...process.env, UV_THREADPOOL_SIZE: '1000' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await once(child.stdout, 'data');
    const threads = readdirSync(`/proc/${child.pid}/task`).map(Number);
    assert.ok(threads.length > 1000, `${threads.length} threads`);
    const { listed } = compareWithProc();
    const of = threads.filter((tid) => listed.get(tid)?.tgid === child.pid);
    assert.equal(of.length, threads.length);
  } finally {
    await end(child);
  }
});

kernelTest(task, 'bpf iter task shows the state that /proc shows', async () => {
  const state = (pid: number): string | undefined => readFileSync(`/proc/${pid}/stat`, 'latin1').match(/\) (\S)/)?.[1];
  const sleeper = spawn('sleep', ['60']);
  const stopped = spawn('sleep', ['60']);
  // A shell that leaves a child behind that nobody waits for.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    stopped.kill('SIGSTOP');
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const expected = new Map([
      [Number(sleeper.pid), 'S'],
      [Number(stopped.pid), 'T'],
      [Number(line.toString()), 'Z'],
    ]);
    for (const [pid, letter] of expected) while (state(pid) !== letter) await setTimeout(10);
    const listed = iterTask();
    for (const [pid, letter] of expected) assert.equal(listed.get(pid)?.state, letter);
  } finally {
    await Promise.all([sleeper, stopped, parent].map(end));
  }
});

kernelTest(task, 'the table ends with a count, and keeps escape sequences from the terminal', async () => {
  const child = spawn(
    process.execPath,
    ['-e', 'process.title = "a\\x1b[31mb\\n"; console.log("ready"); setInterval(() => {}, 1000)'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    await once(child.stdout, 'data');
    assert.equal(iterTask().get(Number(child.pid))?.comm, 'a\x1b[31mb\n');
    const { stdout } = run([process.execPath, bpf, 'iter', 'task']);
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^ *PID +TGID +COMM +STATE *$/);
    assert.match(lines.at(-1) ?? '', /^\d+ threads in \d+\.\d ms$/);
    assert.equal(Number.parseInt(lines.at(-1) ?? '', 10), lines.length - 2);
    assert.ok(
      lines.some((row) => new RegExp(`^ *${child.pid} +${child.pid} +a\\\\x1b\\[31mb\\\\x0a +\\w *$`).test(row)),
    );
  } finally {
    await end(child);
  }
});

kernelTest(task, 'bpf iter task | head -n 1 is no failure', () => {
  const script = '{ "$@"; echo "status $?" >&2; } | head -n 1';
  const { stdout, stderr } = run(['sh', '-c', script, 'sh', process.execPath, bpf, 'iter', 'task']);
  assert.match(stdout, /^ *PID +TGID +COMM +STATE\n$/);
  assert.equal(stderr, 'status 0\n');
});

kernelTest(
  unprivileged,
  'bpf iter task: one sentence and status 77',
  () => {
    const { status, stdout, stderr } = run([process.execPath, bpf, 'iter', 'task']);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^bpf: BPF_PROG_LOAD: this process has no permission: it needs CAP_BPF and CAP_PERFMON, so run it as root .*\n$/,
    );
    assert.equal(status, 77);
  },
  ['none'],
);

kernelTest(
  task,
  'without BTF: one sentence and status 77',
  () => {
    // A mount namespace of its own, where nothing is to be found under /sys/kernel/btf.
    const script = 'mount -t tmpfs none /sys/kernel/btf && exec "$@"';
    const hidden = run(['unshare', '-m', 'sh', '-c', script, 'sh', process.execPath, bpf, 'iter', 'task']);
    assert.equal(hidden.stdout, '');
    assert.match(
      hidden.stderr,
      /^bpf: This kernel's types cannot be read \(\/sys\/kernel\/btf\/vmlinux\): it must be Linux 5\.4 .*\n$/,
    );
    assert.equal(hidden.status, 77);
  },
  ['root'],
);

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
