import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { kernelAtLeast, readMachine } from '@bpf/sys';
import { knowHelpers, knowProbes } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { readFuncIds } from '../../../tooling/uapi/func-ids.ts';
import {
  type Answer,
  haveAttach,
  haveFeature,
  haveHelper,
  haveMapType,
  haveProgType,
  kernelBtf,
  probeAll,
} from '../src/index.ts';

/** In the guests of the matrix, where nothing is in the way of root. */
const inGuest = process.env.KERNEL_SERIES !== undefined;
const release = readMachine().release;
const BPFTOOL = 'bpftool';

function atLeast(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return kernelAtLeast(release, major, minor);
}

/** The names of an enum of the kernel's own types. */
function enumNames(name: string): Set<string> {
  const id = kernelBtf().find('enum', name);
  const type = id === undefined ? undefined : kernelBtf().type(id);
  assert.ok(type?.kind === 'enum', name);
  return new Set(type.values.map((value) => value.name));
}

kernelTest(knowProbes, 'types are there that the kernel has numbers for, unless it was built without', () => {
  for (const [kind, enumName, prefix] of [
    ['prog', 'bpf_prog_type', 'BPF_PROG_TYPE_'],
    ['map', 'bpf_map_type', 'BPF_MAP_TYPE_'],
  ] as const) {
    const names = enumNames(enumName);
    for (const { name, answer, ...probe } of probeAll()) {
      if (probe.kind !== kind) continue;
      const numbered = names.has(prefix + name.toUpperCase());
      if (!numbered) assert.equal(answer.supported, false, `${name}: ${JSON.stringify(answer)}`);
      else if (answer.supported === false) assert.match(answer.reason, /they need CONFIG_/, name);
      else if (answer.supported === undefined) assert.ok(!inGuest, `${name}: ${answer.reason}`);
    }
  }
  assert.equal(haveProgType('socket_filter').supported, true);
  assert.equal(haveMapType('hash').supported, true);
});

kernelTest(
  knowProbes,
  'what is there since a release is not there before, and after it unless it was built without',
  () => {
    for (const { kind, name, answer } of probeAll()) {
      if (inGuest) assert.notEqual(answer.supported, undefined, `${kind} ${name}: ${JSON.stringify(answer)}`);
      if (answer.supported !== false || answer.since === undefined) continue;
      if (!atLeast(answer.since)) assert.match(answer.reason, /need Linux \d+\.\d+, and this is/);
      else assert.match(answer.reason, /they need CONFIG_|bpf is not among/, `${kind} ${name}: ${answer.reason}`);
    }
  },
);

kernelTest(knowProbes, 'what this kernel has came with it or before', () => {
  for (const [version, answer] of sinceTable()) {
    if (answer.supported === true) assert.ok(atLeast(version), `${version} ${release}`);
    // Debian builds all of these, but for fprobe in 6.1.
    else if (inGuest && atLeast(version) && !JSON.stringify(answer).includes('CONFIG_FPROBE'))
      assert.fail(`${version} ${JSON.stringify(answer)}`);
  }
});

/** Once more, apart from the sources: when these came. */
function sinceTable(): [string, Answer][] {
  return [
    ['5.14', haveProgType('syscall')],
    ['6.4', haveProgType('netfilter')],
    ['5.11', haveMapType('task_storage')],
    ['5.16', haveMapType('bloom_filter')],
    ['6.1', haveMapType('user_ringbuf')],
    ['6.2', haveMapType('cgrp_storage')],
    ['6.9', haveMapType('arena')],
    ['6.19', haveMapType('insn_array')],
    ['7.1', haveMapType('rhash')],
    ['5.15', haveAttach('perf_event')],
    ['5.18', haveAttach('kprobe_multi')],
    ['6.0', haveAttach('lsm_cgroup')],
    ['6.4', haveAttach('netfilter')],
    ['6.4', haveAttach('struct_ops')],
    ['6.6', haveAttach('tcx')],
    ['6.6', haveAttach('uprobe_multi')],
    ['6.7', haveAttach('netkit')],
    ['6.7', haveAttach('cgroup_unix')],
    ['6.10', haveAttach('kprobe_session')],
    ['6.10', haveAttach('sockmap')],
    ['6.13', haveAttach('uprobe_session')],
    ['7.0', haveAttach('fsession')],
    ['7.2', haveAttach('tracing_multi')],
    ['5.12', haveFeature('atomics')],
    ['5.13', haveFeature('btf_float')],
    ['5.16', haveFeature('btf_decl_tag')],
    ['5.17', haveFeature('btf_type_tag')],
    ['6.0', haveFeature('btf_enum64')],
    ['6.6', haveFeature('isa_v4')],
    ['6.9', haveFeature('may_goto')],
    ['6.9', haveFeature('tokens')],
    ['6.15', haveFeature('load_acquire')],
    ['6.17', haveFeature('prog_streams')],
  ];
}

kernelTest(
  knowProbes,
  'what came before 5.10 is in all kernels of the matrix, but for what Debian does not build',
  () => {
    const missing = [...probeAll()].flatMap(({ kind, name, answer }) =>
      answer.supported === false && answer.since === undefined ? [`${kind} ${name}`] : [],
    );
    const unbuilt = inGuest ? ['prog lirc_mode2'] : ['prog lirc_mode2', 'attach kprobe'];
    assert.deepEqual(
      missing.filter((name) => !unbuilt.includes(name)),
      [],
    );
  },
);

kernelTest(knowProbes, 'a target that is named is what the answer is about', () => {
  assert.equal(haveAttach('iter', 'task').supported, true);
  assert.deepEqual(haveAttach('iter', 'no_such_target'), {
    supported: false,
    reason: "this kernel's types have no bpf_iter_no_such_target",
  });
  assert.equal(haveAttach('tp_btf', 'sched_switch').supported, true);
  if (inGuest) assert.equal(haveAttach('fentry', 'vfs_read').supported, true);
  assert.throws(() => haveAttach('xdp' as 'iter', 'eth0'), /have no target/);
  assert.throws(() => haveAttach('magic' as 'xdp'), /not a kind of attachment; they are fentry, /);
  assert.throws(() => haveProgType('magic' as 'xdp'), RangeError);
  assert.throws(() => haveMapType('magic' as 'hash'), RangeError);
  assert.throws(() => haveFeature('magic' as 'tokens'), RangeError);
});

kernelTest(
  knowProbes,
  'without privilege nothing is said to be missing that others may have',
  () => {
    for (const { kind, name, answer } of probeAll()) {
      if (answer.supported !== false) continue;
      // Files tell it to everybody; and one can only be older than a release.
      assert.match(answer.reason, /need Linux|\/sys\/kernel\/btf|perf events of|no target/, `${kind} ${name}`);
    }
    const xdp = haveProgType('xdp');
    assert.ok(xdp.supported === undefined && /permission/.test(xdp.reason), JSON.stringify(xdp));
    assert.notEqual(haveHelper('kprobe', 'get_stack').supported, false);
  },
  ['none'],
);

kernelTest(
  knowProbes,
  'with two capabilities, network programs cannot be told of, and tracing programs can',
  () => {
    assert.equal(haveProgType('xdp').supported, undefined);
    assert.equal(haveProgType('kprobe').supported, true);
    assert.equal(haveMapType('hash').supported, true);
    assert.equal(haveFeature('bounded_loops').supported, true);
    assert.equal(haveHelper('kprobe', 'map_lookup_elem').supported, true);
    assert.equal(haveHelper('kprobe', 'skb_store_bytes').supported, false);
    assert.equal(haveHelper('kprobe', 'probe_write_user').supported, undefined);
  },
  ['caps'],
);

kernelTest(knowHelpers, 'all helpers of two types: none that the kernel has no number for', () => {
  const max = readFuncIds().length - 1;
  for (const type of ['kprobe', 'sched_cls'] as const) {
    const answers = Array.from({ length: 215 }, (_, id) => haveHelper(type, id));
    const there = answers.flatMap(({ supported }, id) => (supported ? [id] : []));
    assert.deepEqual(
      answers.filter(({ supported }) => supported === undefined),
      [],
    );
    assert.ok(
      there.length > 40 && there.every((id) => id > 0 && id <= max),
      `${type}: ${there.length}, ${there.at(-1)}`,
    );
  }
  const yes: [Parameters<typeof haveHelper>[0], string][] = [
    ['kprobe', 'ringbuf_output'],
    ['kprobe', 'bpf_get_stackid'],
    ['sched_cls', 'skb_store_bytes'],
    ['sched_cls', 'redirect'],
    ['xdp', 'xdp_adjust_head'],
    ['cgroup_sock_addr', 'bind'],
  ];
  // Overriding what a function returns is an option of the kernel's.
  for (const [type, helper] of yes) assert.equal(haveHelper(type, helper).supported, true, helper);
  assert.equal(haveHelper('socket_filter', 'override_return').supported, false);
  assert.equal(haveHelper('tracing', 'seq_write', { attachType: 'trace_iter' }).supported, true);
  assert.equal(haveHelper('tracing', 'seq_write', { attachType: 'trace_raw_tp' }).supported, false);
  assert.equal(haveHelper('ext', 'redirect').supported, undefined);
  assert.throws(() => haveHelper('xdp', 'no_such_helper'), RangeError);
});

kernelTest(knowProbes, 'bpftool, where it is, finds no more than an old one can tell from a refusal', () => {
  const { status, stdout } = spawnSync(BPFTOOL, ['-jn', 'feature', 'probe', 'kernel'], { encoding: 'utf8' });
  if (status !== 0) return;
  const found = JSON.parse(stdout) as Record<'program_types' | 'map_types', Record<string, boolean>> & {
    readonly helpers: Record<string, readonly string[]>;
  };
  for (const { kind, name, answer } of probeAll()) {
    const theirs = { prog: found.program_types, map: found.map_types, attach: {}, feature: {} }[kind];
    const their = (theirs as Record<string, boolean>)[`have_${name}_${kind === 'prog' ? 'prog' : 'map'}_type`];
    // A tracing program without a target is no program for bpftool.
    if (their === undefined || answer.supported === undefined || name === 'tracing') continue;
    assert.equal(answer.supported, their, `${kind} ${name}: ${JSON.stringify(answer)}`);
  }
  const known = new Set(Object.values(found.helpers).flat());
  for (const type of ['kprobe', 'sched_cls'] as const)
    for (const helper of readFuncIds().slice(1)) {
      // Newer than bpftool, that is; and those that the kernel warns of in its log, which bpftool leaves out.
      if (!known.has(`bpf_${helper}`)) continue;
      if (haveHelper(type, helper).supported === true)
        assert.ok(found.helpers[`${type}_available_helpers`]?.includes(`bpf_${helper}`), `${type} ${helper}`);
    }
});
