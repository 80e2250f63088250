// The tools that trace functions, each against what this process does and is told.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fentry, fexit, unprivileged } from '../../../tooling/kernel-test/features.ts';
import { jobFolder, kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { runExample } from './run.ts';

const comm = (): string => readFileSync('/proc/self/comm', 'utf8').trim();

/** Makes so many files, and deletes them when told. */
function makeFiles(count: number): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'bpf-'));
  const files = Array.from({ length: count }, (_, i) => join(folder, String(i)));
  for (const file of files) writeFileSync(file, '');
  return () => {
    for (const file of files) unlinkSync(file);
    rmdirSync(folder);
  };
}

kernelTest(fexit, 'opensnoop shows paths and results', async () => {
  let fd = -1;
  const name = comm();
  const lines = await runExample('opensnoop', [2, process.pid], () => {
    assert.throws(() => openSync('/nonexistent/file', 'r'));
    fd = openSync('/proc/self/comm', 'r');
    closeSync(fd);
  });
  const rows = lines.map((line) => [line.slice(0, 6), line.slice(7, 23), line.slice(24, 30), line.slice(31)]);
  assert.deepEqual(
    rows.map((row) => row.map((cell) => cell.trim())),
    [
      [String(process.pid), name, '-2', '/nonexistent/file'],
      [String(process.pid), name, String(fd), '/proc/self/comm'],
    ],
  );
});

kernelTest(fentry, 'tcpconnect shows both ends', async () => {
  const hosts = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  const wanted = ['127.0.0.1', '::1'].filter((address) => hosts.some((host) => host.address === address));
  const expected: string[] = [];
  const lines = await runExample('tcpconnect', [wanted.length, process.pid], async () => {
    for (const host of wanted) {
      const server = createServer((socket) => socket.resume()).listen(0, host);
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = connect(port, host);
      await once(socket, 'connect');
      const shown = host === '::1' ? `[${'0000:'.repeat(7)}0001]` : host;
      expected.push(`${process.pid} ${comm()} ${socket.localPort} ${shown}:${port}`);
      socket.destroy();
      server.close();
    }
  });
  assert.ok(wanted.length > 0);
  assert.deepEqual(
    lines.map((line) => line.trim().replace(/ +/g, ' ')),
    expected,
  );
});

kernelTest(fexit, 'unlink-latency counts each deletion once', async () => {
  const started = performance.now();
  const lines = await runExample('unlink-latency', [1, process.pid], makeFiles(20));
  const rows = lines.map((line) => /^ *(\d+) to (\d+) µs: (\d+)$/.exec(line)?.slice(1).map(Number) ?? []);
  assert.equal(
    rows.reduce((sum, [, , count = 0]) => sum + count, 0),
    20,
    lines.join('\n'),
  );
  for (const [from = 0, to = 0] of rows) {
    assert.ok(from === 0 ? to === 2 : to === 2 * from, lines.join('\n'));
    assert.ok(from < (performance.now() - started) * 1000);
  }
});

kernelTest(fentry, 'func-count counts by name', async () => {
  const was = comm();
  try {
    writeFileSync('/proc/self/comm', 'func-count-test');
    const lines = await runExample('func-count', ['vfs_unlink', 1], makeFiles(20));
    assert.ok(lines.includes('      20 func-count-test'), lines.join('\n'));
  } finally {
    writeFileSync('/proc/self/comm', was);
  }
});

kernelTest(
  unprivileged,
  'the tools say in one sentence what they lack',
  async () => {
    const example = spawn(process.execPath, [join(jobFolder, 'func-count.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    example.stderr.on('data', (text) => {
      said += text;
    });
    assert.deepEqual(await once(example, 'close'), [77, null], said);
    assert.match(said, /^[^\n]+\.\n$/);
  },
  ['none'],
);
