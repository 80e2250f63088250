import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { u32 } from '@bpf/btf/data';
import { exit, mov } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attachRawTracepoint, doctor, loadProgram } from '@bpf/programs';
import { bpfSyscall, btf, knowDoctor, knowProbes, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { bpftool, json, out } from './run.ts';

kernelTest(
  knowProbes,
  'bpf features says of each type whether this user may use it',
  async () => {
    const all = await json('features');
    const of = (kind: string, name: string) => all.find((one) => one.kind === kind && one.name === name);
    const xdp = of('prog', 'xdp');
    assert.ok(typeof xdp?.supported === 'boolean' || xdp?.supported === null);
    for (const { supported, reason } of all) assert.equal(typeof reason, supported === true ? 'undefined' : 'string');
    const text = await out('features');
    assert.match(text, /^KIND +NAME +HERE +WHY NOT\n/);
    assert.equal(text.split('\n').length, all.length + 2);
  },
  ['root', 'caps', 'none'],
);

kernelTest(bpfSyscall, 'bpf features knows the map types that bpftool finds', async () => {
  const theirs = bpftool('feature', 'probe', 'kernel')?.map_types as Record<string, boolean> | undefined;
  const ours = await json('features');
  for (const { kind, name, supported } of ours) {
    if (kind !== 'map') continue;
    const found = theirs?.[`have_${name}_map_type`];
    if (found === true) assert.equal(supported, true, String(name));
  }
  assert.equal(ours.find(({ kind, name }) => kind === 'map' && name === 'hash')?.supported, true);
});

kernelTest(
  knowDoctor,
  'bpf doctor prints what it finds, and a problem is status 1',
  async () => {
    const before = process.exitCode;
    try {
      const findings = doctor();
      const problems = findings.filter(({ status }) => status === 'problem').length;
      const said = await json('doctor');
      assert.deepEqual(
        said.map(({ name, status }) => [name, status]),
        findings.map(({ name, status }) => [name, status]),
      );
      assert.equal(process.exitCode, problems > 0 ? 1 : before);
      const text = await out('doctor');
      assert.equal(text.match(/^PROBLEM /gm)?.length ?? 0, problems);
      assert.ok(text.includes(readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim()));
    } finally {
      process.exitCode = before;
    }
  },
  ['root', 'none'],
);

kernelTest(btf, "bpf btf prints the kernel's types, as bpftool does", async () => {
  const [type] = await json('btf', 'type', 'list_head');
  assert.deepEqual(
    (type?.members as { name: string; type: string; bits_offset: number }[] | undefined)?.map((member) => [
      member.name,
      member.type,
      member.bits_offset,
    ]),
    [
      ['next', 'struct list_head *', 0],
      ['prev', 'struct list_head *', 64],
    ],
  );
  const theirs = bpftool('btf', 'dump', 'id', '1') as { types: Record<string, unknown>[] } | undefined;
  const { members, ...rest } = theirs?.types.find(({ kind, name }) => kind === 'STRUCT' && name === 'list_head') ?? {};
  if (theirs) {
    const { members: ours, ...facts } = type ?? {};
    assert.deepEqual({ ...facts, vlen: 2 }, rest);
    assert.deepEqual(
      (ours as Record<string, unknown>[]).map(({ type, ...member }) => member),
      members,
    );
  }
  const listed = await json('btf', 'list', 'list_head', '--kind', 'struct');
  assert.ok(listed.some(({ id, kind, name }) => id === type?.id && kind === 'STRUCT' && name === 'list_head'));
  const [func] = await json('btf', 'func', 'vfs_read');
  assert.match(
    String(func?.prototype),
    /^ssize_t vfs_read\(struct file \*file, char \*buf, size_t count, loff_t \*pos\);$/,
  );
  assert.deepEqual(
    (func?.params as { name: string; slot: number }[] | undefined)?.map(({ name, slot }) => [name, slot]),
    [
      ['file', 0],
      ['buf', 1],
      ['count', 2],
      ['pos', 3],
    ],
  );
});

kernelTest(rawTracepoint, 'bpf complete knows the names of what there is', async () => {
  const complete = async (...words: string[]): Promise<string[]> =>
    (await out('complete', '--', ...words)).split('\n').map((line) => line.split('\t')[0] ?? '');
  using map = createMap({ type: 'array', value: u32, maxEntries: 1, name: 'cli_complete' });
  using prog = loadProgram({
    name: 'cli_complete_p',
    type: 'raw_tracepoint',
    instructions: [mov('r0', 0), exit()],
  });
  using link = attachRawTracepoint(prog, 'sys_enter');
  assert.deepEqual(await complete('map', 'dump', 'cli_comp'), ['cli_complete', '']);
  assert.ok((await complete('map', 'get', '')).includes(String(map.info.id)));
  assert.deepEqual(await complete('prog', 'show', 'cli_complete_p'), ['cli_complete_p', '']);
  assert.ok((await complete('link', 'detach', '')).includes(String(link.info()?.id)));
  assert.deepEqual(await complete('iter', 'bpf_pr'), ['bpf_prog', '']);
  assert.ok((await complete('map', 'create', 'path', '--type', 'ha')).includes('hash_of_maps'));
  assert.deepEqual(await complete('prog', 'load', '--type', 'raw_tracepoint_'), ['raw_tracepoint_writable', '']);
  assert.deepEqual(await complete('prog', 'load', '--attach-type', 'trace_it'), ['trace_iter', '']);
  assert.ok((await complete('btf', 'type', 'list_he')).includes('list_head'));
  assert.deepEqual(await complete('btf', 'func', 'tcp_setsocko'), ['tcp_setsockopt', '']);
  assert.deepEqual(await complete('btf', 'type', ''), ['']);
});
