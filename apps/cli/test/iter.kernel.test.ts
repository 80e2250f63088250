import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { type IterTarget, iterTargets } from '@bpf/dsl-iter';
import { kernelBtf, openIterator } from '@bpf/programs';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { fieldsOf, type IterFieldPlace } from '../src/iter/fields.ts';
import { fieldsProgram } from '../src/iter/program.ts';

/** What `bpf iter TARGET --fields …` shows. */
function rowsOf(target: IterTarget, fields: readonly IterFieldPlace[], pid?: number): Record<string, unknown>[] {
  const { spec, row } = fieldsProgram(kernelBtf(), target, fields, pid);
  using iter = openIterator(spec, target === 'cgroup' ? { iterInfo: { cgroup: { order: 'descendants_pre' } } } : {});
  return [...iter.records(row.size)].map((bytes) =>
    Object.fromEntries(Object.values(row.decode(bytes)).map((value, i) => [fields[i]?.path, fields[i]?.show(value)])),
  );
}

const find = (target: IterTarget, paths: string): IterFieldPlace[] => fieldsOf(kernelBtf(), target, paths);

// Those of a map's elements want the map.
const wantMaps = ['bpf_map_elem', 'bpf_sk_storage_map', 'sockmap'];
for (const target of (Object.keys(iterTargets) as IterTarget[]).filter((name) => !wantMaps.includes(name)))
  kernelTest(iterator(target), 'bpf iter shows the fields that it shows unless told', () => {
    const fields = fieldsOf(kernelBtf(), target, undefined);
    assert.ok(fields.length >= 2, `${fields.length} fields`);
    const rows = rowsOf(target, fields);
    if (['task', 'task_file', 'task_vma', 'bpf_prog', 'ksym', 'cgroup'].includes(target)) assert.ok(rows.length > 0);
  });

kernelTest(iterator('task'), 'bpf iter --fields finds fields behind pointers, of one process', () => {
  const fields = find('task', 'pid, comm,real_parent.tgid,group_leader.comm,mm.total_vm');
  const own = rowsOf('task', fields, process.pid);
  assert.ok(own.length > 1, 'the threads of this process');
  const main = own.find(({ pid }) => pid === BigInt(process.pid)) ?? assert.fail('this thread is not there');
  assert.equal(main.comm, readFileSync('/proc/self/comm', 'utf8').trimEnd());
  assert.equal(main['real_parent.tgid'], BigInt(process.ppid));
  assert.ok((main['mm.total_vm'] as bigint) > 1000n);
  assert.throws(() => find('task', 'nosuch'), { message: "'task_struct' has no member 'nosuch'" });
});

kernelTest(iterator('tcp'), 'bpf iter tcp shows addresses and ports as people write them', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as { port: number };
    const rows = rowsOf('tcp', fieldsOf(kernelBtf(), 'tcp', undefined));
    const row = rows.find(({ skc_num }) => skc_num === BigInt(port)) ?? assert.fail(`no socket on port ${port}`);
    assert.equal(row.skc_rcv_saddr, '127.0.0.1');
    assert.equal(row.skc_state, 10n); // TCP_LISTEN
  } finally {
    server.close();
  }
});
