// The examples of the reference's pages, each against something that is not ours: /proc, the kernel's own ids, what was
// put into a map, what a process was told.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMap } from '@bpf/maps';
import { mapGetNextId } from '@bpf/sys';
import {
  bpfSyscall,
  fentry,
  fexit,
  iterator,
  knowRun,
  mapType,
  progLoading,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { connection, run, runExample } from './run.ts';

const task = iterator('task');
const threads = (): string[] => readdirSync('/proc/self/task');

/** The threads of this process that were there all the while. */
async function during(list: () => Promise<string[]>): Promise<{ lines: string[]; there: string[] }> {
  const before = threads();
  const lines = await list();
  const after = threads();
  return { lines, there: before.filter((one) => after.includes(one)) };
}

kernelTest(task, 'quick-start prints each thread of this process once', async () => {
  const { lines, there } = await during(() => run('quick-start'));
  assert.equal(new Set(lines).size, lines.length);
  for (const tid of there) assert.ok(lines.includes(`process ${process.pid}, thread ${tid}`), tid);
});

kernelTest(task, 'task-dumper dumps the PIDs that /proc has', async () => {
  const { lines, there } = await during(() => run('task-dumper'));
  for (const tid of there) assert.ok(lines.includes(tid), tid);
});

kernelTest(iterator('bpf_map'), 'map-lister lists the maps that BPF_MAP_GET_NEXT_ID does', async () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 12, maxEntries: 77, name: 'listed' });
  const ids = (): number[] => {
    const found: number[] = [];
    for (let id = mapGetNextId(0); id !== undefined; id = mapGetNextId(id)) found.push(id);
    return found;
  };
  const before = ids();
  const lines = await run('map-lister');
  const after = ids();
  assert.ok(lines.includes(`${map.info.id}: listed  key 4B  value 12B  max_entries 77`), lines.join('\n'));
  for (const id of before.filter((one) => after.includes(one)))
    assert.ok(
      lines.some((line) => line.startsWith(`${id}: `)),
      `map ${id}`,
    );
});

kernelTest(iterator('bpf_map_elem'), 'map-elem-dumper shows what was put into the map', async () => {
  assert.deepEqual((await run('map-elem-dumper')).sort(), ['1: 1', '2: 1024', '3: 59049']);
});

kernelTest(task, 'stop-at-pid ends at that task', async () => {
  const all = await run('task-dumper');
  const lines = await run('stop-at-pid', process.pid);
  assert.equal(lines.at(-1), String(process.pid));
  assert.equal(lines.indexOf(String(process.pid)), lines.length - 1);
  assert.ok(all.includes(String(process.pid)) && lines.length <= all.length + 20);
  // With a PID that none has, it goes on to the end.
  assert.ok((await run('stop-at-pid', 0)).includes(String(process.pid)));
});

kernelTest(task, 'build-iterator makes a program that loads, with its own exits and one at the end', async () => {
  const [section, ...instructions] = await run('build-iterator');
  assert.equal(section, 'iter/task');
  assert.equal(instructions.join('\n').match(/exit/g)?.length, 2);
});

kernelTest(task, 'iter-create reads each pass to its end', async () => {
  const tasks = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const [first = '', second = ''] = await run('iter-create');
  for (const [line, pass] of [
    [first, 'first'],
    [second, 'second'],
  ] as const) {
    const [, count] = new RegExp(`^${pass} pass: (\\d+) tasks$`).exec(line) ?? [];
    // Some kernels pass the threads of PID 1 over, and processes come and go.
    assert.ok(Number(count) > tasks.length / 2, line);
  }
});

kernelTest(fentry, 'fentry-program sees what the kernel calls its test function with', async () => {
  assert.deepEqual(await run('fentry-program'), ['bpf_fentry_test2(2, 3)']);
});

kernelTest(fexit, 'fexit-program sees what the test function returns', async () => {
  assert.deepEqual(await run('fexit-program'), ['bpf_fentry_test2(2, …) returned 5']);
});

const comm = (): string => readFileSync('/proc/self/comm', 'utf8').trim();

kernelTest(fentry, 'trace-tcp-connect shows where this process connects to', async () => {
  let port = 0;
  const lines = await runExample('trace-tcp-connect', [process.pid], async () => {
    port = await connection('127.0.0.1');
  });
  assert.deepEqual(lines, [`${comm()} (${process.pid}) to 127.0.0.1:${port}, 16 bytes`]);
});

kernelTest(fexit, 'trace-tcp-connect-exit shows what the process is told', async () => {
  const lines = await runExample('trace-tcp-connect-exit', [process.pid], () => connection('127.0.0.1'));
  assert.deepEqual(lines, [`${comm()} (${process.pid}) to 127.0.0.1: under way`]);
  // Nobody may connect to a broadcast address, or there is no way there.
  let told = '';
  const refused = await runExample('trace-tcp-connect-exit', [process.pid], async () => {
    told = await connection('255.255.255.255').then(String, (error: NodeJS.ErrnoException) => error.code ?? '');
  });
  assert.match(told, /^E[A-Z]+$/);
  assert.match(refused.join('\n'), new RegExp(`^\\S+ \\(${process.pid}\\) to [0-9.]+: ${told}$`));
});

kernelTest(knowRun, 'test-xdp drops UDP and passes TCP', async () => {
  const lines = (await run('test-xdp')).map((line) => line.replace(/, \d+ ns each$/, ''));
  assert.deepEqual(lines, ['TCP: returned 2, 64 bytes', 'UDP: returned 1, 64 bytes']);
});

kernelTest(bpfSyscall, 'files writes a file that the system reads', async () => {
  const path = join(tmpdir(), `files-example-${process.pid}`);
  try {
    assert.deepEqual(await run('files', path), [
      'wrote 7 bytes',
      'wrote 7 bytes',
      "read 'Hello', and then ', W'",
      'all of it: Hello, World!',
      'not made again: EEXIST',
    ]);
    assert.equal(readFileSync(path, 'utf8'), 'Hello, World!\n');
  } finally {
    rmSync(path);
  }
});

kernelTest(progLoading, 'map-lookup finds what is there', async () => {
  assert.deepEqual(await run('map-lookup'), ['7: 250', '8: not found']);
});

const percpuArray = mapType('percpu_array', () => createMap({ type: 'percpu_array', valueSize: 8, maxEntries: 1 }));

kernelTest(percpuArray, 'packet-counter counts every packet and byte', async () => {
  assert.deepEqual(await run('packet-counter'), ['30 packets, 1700 bytes']);
});

kernelTest(progLoading, 'lookup-or-init counts from the first packet on', async () => {
  assert.deepEqual(await run('lookup-or-init'), [
    'protocol 1: 2 packets',
    'protocol 6: 5 packets',
    'protocol 17: 3 packets',
  ]);
});

kernelTest(progLoading, 'map-update-delete shows what each flag allows', async () => {
  assert.deepEqual(await run('map-update-delete'), [
    'update, if it is there: ENOENT, value none',
    'update, if it is not there: done, value 20',
    'the same again: EEXIST, value 20',
    'update in any case: done, value 40',
    'delete: done, value none',
    'delete again: ENOENT, value none',
  ]);
});

kernelTest(progLoading, 'map-pointers takes its keys from where they are', async () => {
  assert.deepEqual(await run('map-pointers'), ['stock: 4 for 400, 6 for 600', 'sold: 5 for 500']);
});
