// The tools that are made of iterators, each against what /proc or a system call says.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { u32, u64 } from '@bpf/btf/data';
import { exit, mov } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { loadProgram } from '@bpf/programs';
import { progGetFdById, progGetInfo, progGetNextId } from '@bpf/sys';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { run } from './run.ts';

kernelTest(iterator('task'), 'ps lists the threads of this process as /proc does', async () => {
  /** TGID, TID, PPID and name of each thread. */
  const threads = (): string[] =>
    readdirSync('/proc/self/task').map((tid) => {
      const comm = readFileSync(`/proc/self/task/${tid}/comm`, 'latin1').trim();
      return `${process.pid} ${tid} ${process.ppid} ${comm}`;
    });
  const before = threads();
  const lines = (await run('ps')).map((line) => line.trim().replace(/ +/g, ' '));
  const after = threads();
  const found = new Set(lines.map((line) => line.replace(/^(\d+ \d+ \d+) \S /, '$1 ')));
  for (const thread of before.filter((one) => after.includes(one))) assert.ok(found.has(thread), thread);
  // This thread was reading, and that which makes the kernel's threads has next to nothing to do.
  const own = `${process.pid} ${process.pid} ${process.ppid} R ${readFileSync('/proc/self/comm', 'latin1').trim()}`;
  for (const one of [own, '2 2 0 S kthreadd']) assert.ok(lines.includes(one), one);
});

/** What each descriptor of this process is. */
function descriptors(): Map<string, string> {
  const links = readdirSync('/proc/self/fd').flatMap((fd): [string, string][] => {
    try {
      return [[fd, readlinkSync(`/proc/self/fd/${fd}`)]];
    } catch {
      return []; // that of this very listing
    }
  });
  return new Map(links);
}

kernelTest(iterator('task_file'), 'lsof lists the descriptors of this process as /proc/self/fd does', async () => {
  const path = join(tmpdir(), `lsof-${process.pid}`);
  const own = openSync(path, 'w');
  try {
    const before = descriptors();
    const lines = await run('lsof', process.pid);
    const after = descriptors();
    const rows = lines.slice(1).map((line) => /^ *(\d+) .{16} +(\d+) (\S+) +(\d+) (.*)$/.exec(line) ?? []);
    const find = (fd: string) => rows.find(([, , number]) => number === fd)?.slice(3);
    for (const [line, pid] of rows) assert.equal(pid, String(process.pid), line);
    assert.deepEqual(find(String(own)), ['REG', String(fstatSync(own).ino), basename(path)]);
    for (const [fd, target] of before) {
      if (after.get(fd) !== target) continue;
      const found = find(fd);
      assert.ok(found, `${fd} ${target}`);
      const [, kind, inode] = /^(pipe|socket):\[(\d+)\]$/.exec(target) ?? [];
      if (kind) assert.deepEqual(found.slice(0, 2), [kind === 'pipe' ? 'FIFO' : 'SOCK', inode], target);
    }
  } finally {
    closeSync(own);
    rmSync(path);
  }
});

/** Listens on an address until `use` is done. */
async function whileListening<T>(
  address: { host: string } | { path: string },
  use: (port: number) => Promise<T>,
): Promise<T> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen('path' in address ? address : { ...address, port: 0 }, resolve));
  const bound = server.address();
  try {
    return await use(typeof bound === 'object' ? (bound?.port ?? 0) : 0);
  } finally {
    server.close();
  }
}

/** The IPv4 sockets that listen, of /proc/net/tcp, as ss shows them. */
function listeners(): string[] {
  const sockets = readFileSync('/proc/net/tcp', 'latin1').matchAll(/^ *\d+: (\w{8}):(\w{4}) \S+ 0A/gm);
  return Array.from(sockets, ([, address = '', port]) => {
    const bytes = [...Buffer.from(address, 'hex')].reverse();
    return `tcp LISTEN ${bytes.join('.')}:${Number(`0x${port}`)}`;
  });
}

kernelTest(iterator('tcp'), 'ss lists the sockets of this process, and all that /proc/net/tcp says to listen', () =>
  whileListening({ host: '127.0.0.1' }, (port) =>
    whileListening({ host: '::1' }, async (port6) => {
      const udp = createSocket('udp4');
      await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve));
      const udpPort = udp.address().port;
      try {
        const before = listeners();
        const found = new Set(await run('ss'));
        const after = listeners();
        for (const one of before.filter((one) => after.includes(one))) assert.ok(found.has(one), one);
        for (const one of [
          `tcp LISTEN 127.0.0.1:${port}`,
          `tcp LISTEN [::1]:${port6}`,
          `udp CLOSE 127.0.0.1:${udpPort}`,
        ])
          assert.ok(found.has(one), one);
      } finally {
        udp.close();
      }
    }),
  ),
);

kernelTest(iterator('unix'), 'ss lists the sockets of AF_UNIX that /proc/net/unix does', () => {
  const path = join(tmpdir(), `ss-${process.pid}.sock`);
  return whileListening({ path }, async () => {
    /** The inode and path of each. */
    const sockets = () =>
      readFileSync('/proc/net/unix', 'latin1')
        .trim()
        .split('\n')
        .slice(1)
        .map((line) => {
          const [, , , , , , inode, path = ''] = line.split(/ +/);
          return `inode ${inode} ${path.startsWith('@') ? '' : path}`;
        });
    const before = sockets();
    const lines = await run('ss');
    const after = sockets();
    const found = lines.map((line) => line.replace(/^unix \S+ /, ''));
    for (const one of before.filter((one) => after.includes(one))) assert.ok(found.includes(one), one);
    assert.ok(lines.some((line) => line.startsWith('unix LISTEN inode ') && line.endsWith(` ${path}`)));
  });
});

kernelTest(iterator('bpf_map_elem'), 'map-dump shows every element of a map', async () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 10 });
  map.set(1, 0x0102n);
  map.set(0xaabb, 255n);
  assert.deepEqual((await run('map-dump', map.info.id)).sort(), [
    'key: 01 00 00 00  value: 02 01 00 00 00 00 00 00',
    'key: bb aa 00 00  value: ff 00 00 00 00 00 00 00',
  ]);
});

kernelTest(iterator('bpf_prog'), 'prog-list lists the programs that BPF_PROG_GET_NEXT_ID does', async () => {
  using own = loadProgram({ name: 'listed', type: 'socket_filter', instructions: [mov('r0', 0), exit()] });
  const programs = (): string[] => {
    const found: string[] = [];
    for (let id = progGetNextId(0); id !== undefined; id = progGetNextId(id)) found.push(describe(id));
    return found;
  };
  const before = programs();
  const lines = await run('prog-list');
  const after = programs();
  assert.ok(lines.includes(`${progGetInfo(own).id}: socket_filter  name listed`), lines.join('\n'));
  for (const one of before.filter((one) => after.includes(one))) assert.ok(lines.includes(one), one);
});

function describe(id: number): string {
  try {
    using prog = progGetFdById(id);
    const { type, name } = progGetInfo(prog);
    return `${id}: ${type}${name && `  name ${name}`}`;
  } catch {
    return 'gone';
  }
}
