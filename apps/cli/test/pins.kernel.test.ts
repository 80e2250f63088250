import assert from 'node:assert/strict';
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { u64 } from '@bpf/btf/data';
import { exit, mov } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attachCgroup, attachRawTracepoint, loadProgram, type Program } from '@bpf/programs';
import { mountOf, progGetInfo, SysError } from '@bpf/sys';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { cgroupLinks, progLoading, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { assertAgrees, bpftool, byId, json, out } from './run.ts';

const makeProg = (): Program =>
  loadProgram({
    name: 'cli_pinned',
    type: 'raw_tracepoint',
    attachTo: 'sys_enter',
    instructions: [mov('r0', 0), exit()],
  });

kernelTest(rawTracepoint, 'bpf prog, map and link pin what is named by id, by name or by path', async () => {
  await withBpffs(async (folder) => {
    const path = (name: string): string => join(folder, name);
    using prog = makeProg();
    const progId = progGetInfo(prog).id;
    assert.equal(await out('prog', 'pin', String(progId), path('prog')), '');
    assert.equal(await out('prog', 'pin', 'cli_pinned', path('again')), '');
    assert.equal((await json('prog', 'show', path('again')))[0]?.id, progId);
    await assert.rejects(out('prog', 'pin', 'cli_pinned', path('again')), { code: 'EEXIST' });

    using map = createMap({ type: 'array', value: u64, maxEntries: 2, name: 'cli_kept' });
    assert.equal(await out('map', 'pin', 'cli_kept', path('map')), '');
    const [kept] = await json('map', 'show', path('map'));
    assert.equal(kept?.id, map.info.id);
    assertAgrees(kept ?? {}, bpftool('map', 'show', 'pinned', path('map')));

    let linkId: number;
    {
      using link = attachRawTracepoint(prog, 'sys_enter');
      linkId = link.info()?.id ?? 0;
      assert.equal(await out('link', 'pin', String(linkId), path('link')), '');
    }
    // It is closed, and the pin keeps it.
    const [shown] = await json('link', 'show', path('link'));
    assert.deepEqual([shown?.id, shown?.tp_name, shown?.prog_id], [linkId, 'sys_enter', progId]);
    assertAgrees(shown ?? {}, bpftool('link', 'show', 'pinned', path('link')));
    assert.match(await out('link', 'show', path('link')), /^tp_name +sys_enter$/m);
  });
});

kernelTest(rawTracepoint, 'bpf link detach: a raw tracepoint cannot, which is said', async () => {
  using prog = makeProg();
  using link = attachRawTracepoint(prog, 'sys_enter');
  const id = String(link.info()?.id);
  await assert.rejects(
    out('link', 'detach', id),
    (error) => error instanceof SysError && /LINK_DETACH/.test(error.message),
  );
  await assert.rejects(out('link', 'show', '4294967295'), { code: 'ENOENT' });
});

kernelTest(cgroupLinks, 'bpf link list and detach know the cgroup', async () => {
  using prog = loadProgram({
    name: 'cli_cgroup',
    type: 'cgroup_skb',
    attachType: 'cgroup_inet_ingress',
    instructions: [mov('r0', 1), exit()],
  });
  const cgroup = join(mountOf('cgroup2') ?? assert.fail('no cgroup2 is mounted'), `bpf_cli_${process.pid}`);
  mkdirSync(cgroup);
  try {
    using link = attachCgroup(prog, cgroup);
    const id = Number(link.info()?.id);
    const found = byId(await json('link', 'list'), id);
    assert.deepEqual([found.type, found.attach_type], ['cgroup', 'cgroup_inet_ingress']);
    assertAgrees(found, bpftool('link', 'show', 'id', String(id)));
    assert.equal(await out('link', 'detach', String(id)), '');
    assert.equal((await json('link', 'show', String(id)))[0]?.cgroup_id, 0);
  } finally {
    rmdirSync(cgroup);
  }
});

kernelTest(progLoading, 'bpf prog load, show, dump and run', async () => {
  await withBpffs(async (folder) => {
    const file = join('/tmp', `bpf-cli-load-${process.pid}.s`);
    writeFileSync(file, 'r6 = *(u32 *)(r1 + 0)\nr0 = r6\nexit\n');
    const path = join(folder, 'length');
    const [loaded] = await json('prog', 'load', file, path, '--type', 'socket_filter', '--name', 'cli_length');
    const id = Number(loaded?.id);
    assert.deepEqual([loaded?.type, loaded?.name], ['socket_filter', 'cli_length']);
    assertAgrees(byId(await json('prog', 'list'), id), bpftool('prog', 'show', 'id', String(id)));
    assert.match(await out('prog', 'show', path), /^name +cli_length$/m);

    // The packet without its Ethernet header, of 14 bytes.
    const [run] = await json('prog', 'run', path);
    assert.equal(run?.retval, 64 - 14);
    writeFileSync(file, new Uint8Array(100));
    assert.equal((await json('prog', 'run', 'cli_length', '--data', file))[0]?.retval, 100 - 14);

    const dump = await json('prog', 'dump', path, '--format', 'opcodes');
    assert.deepEqual(dump.at(-1), { slot: dump.length - 1, disasm: 'exit', opcodes: '95 00 00 00 00 00 00 00' });
    const theirs = bpftool('prog', 'dump', 'xlated', 'id', String(id)) as unknown as { disasm: string }[] | undefined;
    assert.equal(dump.length, theirs?.length ?? dump.length);
    const [{ jited } = {}] = await json('prog', 'dump', path, '--format', 'jited');
    assert.equal(String(jited).length, 2 * Number(byId(await json('prog', 'list'), id).bytes_jited));
    rmSync(file);
  });
});
