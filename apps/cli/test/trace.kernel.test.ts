import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { bpfSyscall, fentry, fentryLock, fexit, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { exitStatus, messageOf } from '../src/failure.ts';
import { programIds, trace } from './trace-run.ts';

const MINE = ['--pid', process.pid] as const;
const comm = (): string => readFileSync('/proc/self/comm', 'utf8').trim();

interface EventLine {
  time: string;
  comm: string;
  pid: number;
  tid: number;
  function: string;
  args: Record<string, unknown>;
  ret?: unknown;
  stack?: string[];
}

const lines = (out: string): string[] => out.split('\n').filter((line) => line !== '');
const events = (out: string): EventLine[] => lines(out).map((line) => JSON.parse(line) as EventLine);

/** Makes so many files, and deletes them when told. */
function makeFiles(count: number): { readonly names: string[]; readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-'));
  const names = Array.from({ length: count }, (_, i) => `file-${i}`);
  for (const name of names) writeFileSync(join(folder, name), '');
  const remove = (): void => {
    for (const name of names) unlinkSync(join(folder, name));
    rmdirSync(folder);
  };
  return { names, remove };
}

kernelTest(
  fexit,
  'bpf trace shows arguments and results',
  async () => {
    let fd = -1;
    const before = Date.now();
    const { out, err } = await trace(['do_sys_openat2', '--ret', '--json', ...MINE], () => {
      assert.throws(() => openSync('/nonexistent/file', 'r'));
      fd = openSync('/proc/self/comm', 'r');
      closeSync(fd);
    });
    const seen = events(out).filter(({ args }) =>
      ['/nonexistent/file', '/proc/self/comm'].includes(String(args.filename)),
    );
    assert.equal(err, `Tracing do_sys_openat2: Ctrl-C ends it.\n${events(out).length} calls.\n`);
    assert.deepEqual(
      seen.map(({ comm, pid, tid, function: name, args, ret }) => ({
        comm,
        pid,
        tid,
        name,
        ...args,
        how: typeof args.how,
        ret,
      })),
      [
        { name: 'do_sys_openat2', dfd: -100, filename: '/nonexistent/file', how: 'string', ret: -2 },
        { name: 'do_sys_openat2', dfd: -100, filename: '/proc/self/comm', how: 'string', ret: fd },
      ].map((call) => ({ comm: comm(), pid: process.pid, tid: process.pid, ...call })),
    );
    for (const { time } of seen) assert.ok(Math.abs(Date.parse(time) - before) < 60_000, time);
  },
  ['root', 'caps'],
);

kernelTest(fentry, 'bpf trace shows fields by their paths, as text', async () => {
  const { names, remove } = makeFiles(2);
  const { out } = await trace(['vfs_unlink', '--args', 'dentry.d_name.name,dir.i_mode,dentry', ...MINE], remove);
  const [head = '', ...rows] = lines(out);
  assert.equal(head, 'TIME             COMM                 PID  CALL');
  assert.equal(rows.length, 2, out);
  for (const [i, row] of rows.entries())
    assert.match(
      row,
      new RegExp(
        `^\\d\\d:\\d\\d:\\d\\d\\.\\d{6}  ${comm().padEnd(15)}  ${String(process.pid).padStart(7)}  vfs_unlink\\(dentry\\.d_name\\.name="${names[i]}", dir\\.i_mode=${0o40700}, dentry=0x[0-9a-f]{16}\\)$`,
      ),
    );
});

kernelTest(fentry, 'bpf trace shows what lies behind no address as nothing', async () => {
  const args = 'dentry.d_inode.i_pipe.readers,dentry.d_inode.i_nlink';
  const files = makeFiles(1);
  const { out } = await trace(['vfs_unlink', '--args', args, ...MINE], files.remove);
  assert.match(out, /vfs_unlink\(dentry\.d_inode\.i_pipe\.readers=NULL, dentry\.d_inode\.i_nlink=1\)\n$/);
  const again = makeFiles(1);
  const json = await trace(['vfs_unlink', '--args', args, '--json', ...MINE], again.remove);
  assert.deepEqual(events(json.out)[0]?.args, {
    'dentry.d_inode.i_pipe.readers': null,
    'dentry.d_inode.i_nlink': 1,
  });
});

kernelTest(fentry, 'bpf trace shows addresses of sockets and enums as people write them', async () => {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    const { port } = server.address() as { port: number };
    const { out } = await trace(['tcp_v4_connect', '__sys_connect', '--json', ...MINE], async () => {
      const socket = connect(port, '127.0.0.1').resume();
      await new Promise((resolve) => socket.once('close', resolve));
    });
    const seen = events(out).map(({ function: name, args }) => [name, args.uaddr ?? args.uservaddr]);
    assert.deepEqual(seen, [
      ['__sys_connect', `127.0.0.1:${port}`],
      ['tcp_v4_connect', `127.0.0.1:${port}`],
    ]);
  } finally {
    server.close();
  }
});

kernelTest(fentry, 'bpf trace --limit, --comm and --stack', async () => {
  const { remove } = makeFiles(3);
  const was = comm();
  try {
    writeFileSync('/proc/self/comm', 'trace-test');
    const asked = ['vfs_unlink', '--comm', 'trace-test', '--limit', 2, '--stack', '--json', ...MINE];
    const { out, err } = await trace(asked, remove);
    assert.equal(events(out).length, 2, out);
    assert.match(err, /\n2 calls\.\n$/);
    for (const { comm, stack = [] } of events(out)) {
      assert.equal(comm, 'trace-test');
      assert.match(stack.join(' '), /^vfs_unlink\+0x\S+ .*\b(do|filename)_unlinkat\+0x/);
    }
  } finally {
    writeFileSync('/proc/self/comm', was);
  }
  const other = makeFiles(1);
  const { out } = await trace(['vfs_unlink', '--comm', 'trace-test', '--json', ...MINE], other.remove);
  assert.equal(out, '');
});

kernelTest(fentry, 'bpf trace --count counts by function and by name', async () => {
  const { remove } = makeFiles(20);
  const { out, err } = await trace(['vfs_unlink', 'security_inode_rmdir', '--count', ...MINE], remove);
  assert.equal(out, 'CALLS  FUNCTION\n   20  vfs_unlink\n    1  security_inode_rmdir\n');
  assert.equal(err, 'Tracing 2 functions: Ctrl-C ends it.\n21 calls.\n');
  const again = makeFiles(5);
  const byComm = await trace(['vfs_unlink', '--by', 'comm', '--exit', '--json', ...MINE], again.remove);
  assert.deepEqual(JSON.parse(byComm.out), { comm: comm(), calls: 5 });
});

kernelTest(fexit, 'bpf trace --latency counts each call once', async () => {
  const { remove } = makeFiles(20);
  const start = performance.now();
  const { out, err } = await trace(['vfs_unlink', '--latency', '--json', ...MINE], remove);
  const { buckets, ...rest } = JSON.parse(out) as { buckets: { from: number; to: number; count: number }[] };
  assert.deepEqual(rest, { function: 'vfs_unlink', calls: 20, unit: 'ns' });
  assert.equal(
    buckets.reduce((sum, { count }) => sum + count, 0),
    20,
  );
  for (const { from, to } of buckets) {
    assert.equal(to, from * 2);
    assert.ok(from < (performance.now() - start) * 1e6);
  }
  assert.match(err, /\n20 calls\.\n$/);
});

kernelTest(fentry, 'bpf trace of a pattern leaves nothing attached', async () => {
  const before = programIds();
  let during: number[] = [];
  const { remove } = makeFiles(1);
  const { out, err } = await trace(['vfs_unlin?', 'security_inode_rm*', '--json', ...MINE], () => {
    during = programIds().filter((id) => !before.includes(id));
    remove();
  });
  assert.deepEqual(
    events(out).map(({ function: name }) => name),
    ['vfs_unlink', 'security_inode_rmdir'],
  );
  const [, functions] = /^Tracing (\d+) functions/.exec(err) ?? [];
  assert.equal(during.length, Number(functions), err);
  assert.deepEqual(
    programIds().filter((id) => !before.includes(id)),
    [],
  );
});

kernelTest(
  fentry,
  'bpf trace of a pattern names what the kernel refuses',
  async () => {
    // One is gone since the kernel has started; the list that would tell is not for this user.
    const { err } = await trace(['tcp_v4_init*', '--count']);
    assert.match(err, /^Tracing [^\n]+\nThe kernel refused 1 of the functions that match: tcp_v4_init\.\n0 calls\.\n$/);
    await assert.rejects(trace(['vfs_caches_ini?']));
  },
  ['caps'],
);

kernelTest(fentry, 'bpf trace says what is near what is not there', async () => {
  const message = (...args: string[]) =>
    trace(args).then(
      () => assert.fail(args.join(' ')),
      (error: Error) => error.message,
    );
  assert.equal(await message('vfs_unlnk'), "There is no function 'vfs_unlnk' in these types. Did you mean vfs_unlink?");
  assert.match(await message('vfs_unlink', '--args', 'dentri'), /no argument 'dentri'; .* Did you mean dentry\?$/);
  assert.match(
    await message('vfs_unlink', '--args', 'dentry.d_nam.name'),
    /no member 'd_nam'\. Did you mean d_name\?$/,
  );
  assert.match(await message('seq_printf'), /^It cannot be traced: seq_printf takes a variable number of arguments/);
  assert.match(await message('*a*'), /^'\*a\*' matches \d+ functions .* at most 100 .*: narrow it\.$/);
  assert.match(await message('nosuch*'), /^No function in the kernel's types matches 'nosuch\*'\.$/);
});

kernelTest(fentry, 'bpf trace ends when nobody reads', async () => {
  const before = programIds();
  const { remove } = makeFiles(1);
  const script = '"$0" "$1" trace vfs_unlink --comm "$2" --json | head -n 1';
  const child = spawn('sh', ['-c', script, process.execPath, join(jobFolder, 'cli/bpf.cjs'), comm()], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    // There is one call, and no other whose line could not be written.
    if (err === '') remove();
    err += chunk;
  });
  assert.deepEqual(await closed, [0, null], err);
  assert.equal(events(out).length, 1, out);
  assert.equal(err, 'Tracing vfs_unlink: Ctrl-C ends it.\n1 call.\n');
  assert.deepEqual(
    programIds().filter((id) => !before.includes(id)),
    [],
  );
});

kernelTest(fentry, 'bpf trace leaves out its own calls in a PID namespace, too', () => {
  // /proc is that of this test: what the shell reads there is its number outside, which the command takes over.
  const script = 'read pid rest < /proc/self/stat; echo "$pid"; exec "$@"';
  const command = [
    process.execPath,
    join(jobFolder, 'cli/bpf.cjs'),
    'trace',
    'ksys_write',
    '--duration',
    '1',
    '--json',
  ];
  const unshared = ['-c', 'exec unshare --pid --fork sh -c "$0" sh "$@"', script, ...command];
  const { status, stdout, stderr } = spawnSync('sh', unshared, { encoding: 'utf8', maxBuffer: 1 << 28 });
  assert.equal(status, 0, stderr);
  const [pid = '', ...seen] = lines(stdout);
  assert.match(pid, /^\d+$/);
  // It writes that it has begun, and would write of that, and so on.
  assert.match(stderr, /^Tracing ksys_write/);
  assert.deepEqual(
    events(seen.join('\n')).filter((event) => event.pid === Number(pid)),
    [],
  );
});

kernelTest(fexit, 'bpf trace counts what it loses', async () => {
  const wide = Array.from({ length: 12 }, () => 'filename').join();
  const { out, err } = await trace(['do_sys_openat2', '--exit', '--args', wide, '--json', ...MINE], () => {
    // Nobody reads until it is done.
    for (let i = 0; i < 2000; i++) closeSync(openSync('/dev/null', 'r'));
  });
  const [, shown, lost] = /\n(\d+) calls\.\n(\d+) more were lost/.exec(err) ?? assert.fail(err);
  assert.equal(events(out).length, Number(shown));
  // Other threads of this process may open files, too, and a call that comes while a program runs is counted on its own.
  const [, missed = 0] = /\n(\d+) more were not seen/.exec(err) ?? [];
  assert.ok(Number(shown) + Number(lost) + Number(missed) >= 2000, err);
  assert.ok(Number(lost) > 0, err);
});

kernelTest(fentryLock, 'bpf trace of what its programs call themselves', async () => {
  const { remove } = makeFiles(50);
  const { out } = await trace(['_raw_spin_lock_irqsave', '--limit', 20, '--json', ...MINE], remove);
  assert.equal(events(out).length, 20);
});

kernelTest(fentry, 'bpf trace --count shows its table in place on a terminal', async () => {
  const { remove } = makeFiles(3);
  const { isTTY, rows } = process.stdout;
  Object.assign(process.stdout, { isTTY: true, rows: 24 });
  try {
    const { out } = await trace(['vfs_unlink', '--count', ...MINE], async (out) => {
      remove();
      while (!out().includes('vfs_unlink')) await sleep(50);
    });
    const tables = stripVTControlCharacters(out).split('CALLS  FUNCTION\n');
    assert.ok(tables.length >= 3, out);
    assert.equal(tables.at(-1), '    3  vfs_unlink\n');
    assert.ok(out.includes('\x1b[2A\x1b[J'));
  } finally {
    Object.assign(process.stdout, { isTTY, rows });
  }
});

kernelTest(bpfSyscall, 'bpf trace works, or says in one sentence that this kernel refuses', async () => {
  let refusal: unknown;
  try {
    assert.equal(fentry.probe(), undefined);
  } catch (error) {
    refusal = error;
  }
  if (refusal === undefined) return void (await trace(['vfs_unlink']));
  await assert.rejects(trace(['vfs_unlink']), (error: Error) => {
    assert.equal(exitStatus(error), 77);
    assert.match(messageOf(error), /^BPF_PROG_LOAD: [^.\n]+\.$/);
    return true;
  });
});

kernelTest(
  unprivileged,
  'bpf trace: one sentence and status 77',
  () => {
    const args = [join(jobFolder, 'cli/bpf.cjs'), 'trace', 'vfs_unlink'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(stdout, '');
    assert.match(stderr, /^bpf: BPF_\w+: this process has no permission: it needs CAP_BPF and CAP_PERFMON.*\n$/);
    assert.equal(status, 77);
  },
  ['none'],
);
