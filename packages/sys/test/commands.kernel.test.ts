import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import {
  bpfSyscall,
  cgroupLinks,
  entryOffset,
  hasEnumerator,
  hashMap,
  idInBtf,
  iterator,
  kprobeMulti,
  progLoading,
  rawTracepoint,
  tpBtf,
  uprobeMulti,
} from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { attrSize } from '../src/attr-size.ts';
import {
  btfGetBytes,
  btfGetFdById,
  btfGetInfo,
  btfGetNextId,
  btfLoad,
  enableStats,
  type Fd,
  fdKind,
  fileOpen,
  iterCreate,
  linkCreate,
  linkDetach,
  linkGetFdById,
  linkGetInfo,
  linkGetNextId,
  linkUpdate,
  mapCreate,
  mapFreeze,
  mapGetFdById,
  mapGetInfo,
  mapGetNextId,
  mapLookupElem,
  mapUpdateElem,
  mountOf,
  O_RDONLY,
  objGet,
  objPin,
  type ProgLoadOptions,
  progAttach,
  progBindMap,
  progDetach,
  progGetFdById,
  progGetInfo,
  progGetJited,
  progGetNextId,
  progGetXlated,
  progLoad,
  progLoadWithLog,
  progQuery,
  progTestRun,
  rawTracepointOpen,
  SysError,
  taskFdQuery,
  tokenCreate,
} from '../src/index.ts';

const hex = (...slots: string[]): Uint8Array => Uint8Array.from(Buffer.from(slots.join(''), 'hex'));
const RETURN_0 = hex('b700000000000000', '9500000000000000');
const RETURN_1 = hex('b700000001000000', '9500000000000000');
const load = (options: Partial<ProgLoadOptions> = {}): Fd =>
  progLoad({ type: 'socket_filter', insns: RETURN_0, license: 'GPL', ...options });
const hash = () => mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, name: 'commands' });
/** The ids that one of the NEXT_ID commands goes through. */
function idsOf(next: (id: number) => number | undefined): number[] {
  const ids: number[] = [];
  for (let id = next(0); id !== undefined; id = next(id)) ids.push(id);
  return ids;
}

kernelTest(bpfSyscall, 'pins and gets maps and programs', () => {
  withBpffs((folder) => {
    const path = join(folder, 'map');
    using map = hash();
    objPin(path, map);
    using again = objGet(path);
    assert.equal(fdKind(again), 'map');
    assert.equal(mapGetInfo(again).id, map.info.id);
    assert.throws(() => objPin(path, map), { code: 'EEXIST', message: /something is pinned at this path already/ });
    using readOnly = objGet(path, { access: 'rdonly' });
    assert.equal(mapGetInfo(readOnly).id, map.info.id);
    unlinkSync(path);
    assert.throws(() => objGet(path), {
      code: 'ENOENT',
      message: /of '.*\/map' failed with ENOENT: nothing is pinned/,
    });
    assert.throws(() => objPin(join(folder, 'no/where'), map), { code: 'ENOENT', message: /make it first/ });
    using prog = load();
    objPin(join(folder, 'prog'), prog);
    using program = objGet(join(folder, 'prog'));
    assert.equal(fdKind(program), 'prog');
    assert.throws(() => mapGetInfo(program), /is a prog, not a map$/);
    unlinkSync(join(folder, 'prog'));
    const elsewhere = join(tmpdir(), `bpf-sys-test-${process.pid}`);
    assert.throws(() => objPin(elsewhere, map), { message: /not on a bpffs.*mount -t bpf bpf/ });
    assert.throws(() => objGet('/proc/self/status'), { code: 'EACCES', message: /not a BPF object/ });
  });
});

kernelTest(bpfSyscall, 'finds objects by their ids', () => {
  using map = hash();
  using prog = load();
  using btf = btfLoad(TYPES);
  assert.ok(idsOf(mapGetNextId).includes(map.info.id));
  const { id } = progGetInfo(prog);
  assert.ok(idsOf(progGetNextId).includes(id));
  using again = progGetFdById(id);
  assert.equal(progGetInfo(again).id, id);
  using mapAgain = mapGetFdById(map.info.id);
  assert.equal(mapAgain.info.id, map.info.id);
  const btfId = btfGetInfo(btf).id;
  assert.ok(idsOf(btfGetNextId).includes(btfId));
  using btfAgain = btfGetFdById(btfId);
  assert.deepEqual(btfGetBytes(btfAgain), TYPES);
  for (const open of [progGetFdById, mapGetFdById, btfGetFdById, linkGetFdById])
    assert.throws(() => open(0xffff_fff0), { code: 'ENOENT', message: /there is no .* with id 4294967280$/ });
});

/** BTF of one type, u32. */
const TYPES = hex(
  '9feb010018000000',
  '0000000010000000',
  '1000000005000000',
  '01000000',
  '00000001',
  '04000000',
  '20000000',
  '0075333200',
);

kernelTest(bpfSyscall, "the kernel's own types are among the BTF objects", () => {
  const names = idsOf(btfGetNextId).map((id) => {
    using btf = btfGetFdById(id);
    return btfGetInfo(btf);
  });
  // Its name and whether it is the kernel's came with 5.11.
  if (names.some(({ name }) => name !== '')) {
    const vmlinux = names.find(({ name }) => name === 'vmlinux');
    assert.ok(vmlinux?.kernelBtf);
    assert.equal(vmlinux.size, readFileSync('/sys/kernel/btf/vmlinux').length);
  }
});

kernelTest(progLoading, 'says what it knows of a program', () => {
  using map = hash();
  using prog = load({ name: 'known', ...withMap(map.fd) });
  const info = progGetInfo(prog);
  assert.equal(info.type, 'socket_filter');
  assert.equal(info.name, 'known');
  assert.equal(info.gplCompatible, true);
  assert.deepEqual(info.mapIds, [map.info.id]);
  assert.match(info.tag, /^[0-9a-f]{16}$/);
  assert.match(readFileSync(`/proc/self/fdinfo/${prog.fd}`, 'utf8'), new RegExp(`prog_tag:\\s*${info.tag}`));
  assert.equal(info.xlatedLength, 32);
  const xlated = progGetXlated(prog);
  assert.equal(xlated.length, 32);
  assert.equal(xlated[31 - 7], 0x95);
  assert.equal(progGetJited(prog).length, info.jitedLength);
  assert.ok(info.loadTime > 0n);
});

/** `r1 = map; r0 = 0; exit`. */
function withMap(fd: number): { readonly insns: Uint8Array } {
  const insns = hex('1811000000000000', '0000000000000000', 'b700000000000000', '9500000000000000');
  new DataView(insns.buffer).setUint32(4, fd, true);
  return { insns };
}

kernelTest(hashMap, 'freezes, and binds a map to a program', () => {
  using map = hash();
  mapFreeze(map);
  assert.throws(() => mapUpdateElem(map, new Uint8Array(4), new Uint8Array(8)), { code: 'EPERM' });
  assert.equal(mapLookupElem(map, new Uint8Array(4), new Uint8Array(8)), false);
  assert.throws(() => mapFreeze(map), { message: /frozen already/ });
  using prog = load();
  assert.deepEqual(progGetInfo(prog).mapIds, []);
  progBindMap(prog, map);
  assert.deepEqual(progGetInfo(prog).mapIds, [map.info.id]);
});

kernelTest(progLoading, 'test runs follow the rules of each type', () => {
  const packet = Uint8Array.from({ length: 64 }, (_, i) => i);
  using xdp = load({ type: 'xdp', insns: RETURN_1 });
  const run = progTestRun(xdp, { data: packet, repeat: 10 });
  assert.equal(run.retval, 1);
  assert.equal(run.dataSize, 64);
  assert.deepEqual(run.data, packet);
  const cut = progTestRun(xdp, { data: packet, dataSizeOut: 10 });
  assert.equal(cut.dataSize, 64);
  assert.deepEqual(cut.data, packet.slice(0, 10));
  // Linux 5.10 lets XDP programs have shorter ones.
  using filter = load();
  assert.throws(() => progTestRun(filter, { data: new Uint8Array(13) }), {
    message: /at least the 14 bytes of its Ethernet/,
  });
  assert.throws(() => progTestRun(filter), { message: /wants a packet \(data\) or a context/ });
  using raw = load({ type: 'raw_tracepoint' });
  assert.equal(progTestRun(raw, { ctx: new Uint8Array(16) }).retval, 0);
  assert.equal(progTestRun(raw, { ctx: new Uint8Array(16), cpu: 0 }).retval, 0);
  using kprobe = load({ type: 'kprobe' });
  assert.throws(() => progTestRun(kprobe), { code: 'ENOTSUPP', message: /cannot be run so/ });
});

kernelTest(progLoading, "the verifier's log of a program that loads", () => {
  const { prog, log } = progLoadWithLog({ type: 'socket_filter', insns: RETURN_0, license: 'GPL' }, 2);
  prog.close();
  assert.match(log, /0: \(b7\) r0 = 0/);
  assert.match(log, /processed 2 insns/);
});

kernelTest(rawTracepoint, 'a raw tracepoint is found by its descriptor and by its link', () => {
  using prog = load({ type: 'raw_tracepoint' });
  using link = rawTracepointOpen({ prog, name: 'sys_enter' });
  const { id } = progGetInfo(prog);
  assert.deepEqual(
    { ...taskFdQuery(process.pid, link.fd), offset: 0n, address: 0n },
    { type: 'raw_tracepoint', progId: id, name: 'sys_enter', offset: 0n, address: 0n },
  );
  const info = linkGetInfo(link);
  assert.equal(info.progId, id);
  assert.ok(info.type === 'raw_tracepoint' && info.name === 'sys_enter');
  assert.ok(idsOf(linkGetNextId).includes(info.id));
  using again = linkGetFdById(info.id);
  assert.equal(linkGetInfo(again).id, info.id);
  assert.throws(() => rawTracepointOpen({ prog, name: 'no_such_tracepoint' }), {
    code: 'ENOENT',
    message: /no tracepoint/,
  });
});

kernelTest(tpBtf, 'a tracing program attaches again, or its kernel says why not', () => {
  const attachBtfId = idInBtf('typedef', 'btf_trace_sys_enter');
  using prog = load({ type: 'tracing', expectedAttachType: 'trace_raw_tp', attachBtfId });
  rawTracepointOpen({ prog }).close();
  try {
    rawTracepointOpen({ prog }).close();
  } catch (error) {
    assert.match(String(error), /ENOENT: the program was attached before .* before Linux 5\.13 it attaches only once/);
  }
});

kernelTest(rawTracepoint, 'statistics count while they are enabled', () => {
  using prog = load({ type: 'raw_tracepoint' });
  using link = rawTracepointOpen({ prog, name: 'sys_enter' });
  assert.equal(progGetInfo(prog).runCnt, 0n);
  {
    using _ = enableStats();
    for (let i = 0; i < 100; i++) readFileSync('/proc/self/stat');
    assert.ok(progGetInfo(prog).runCnt >= 100n);
    assert.ok(progGetInfo(prog).runTimeNs > 0n);
  }
  assert.ok(link.fd > 0);
});

kernelTest(iterator('task'), 'an iterator link says what it goes through', () => {
  using prog = load({
    type: 'tracing',
    expectedAttachType: 'trace_iter',
    attachBtfId: idInBtf('func', 'bpf_iter_task'),
  });
  using link = linkCreate({ prog, attachType: 'trace_iter' });
  const info = linkGetInfo(link);
  assert.ok(info.type === 'iter' && info.target === 'task', JSON.stringify({ ...info, id: 0 }));
  using iter = iterCreate(link);
  assert.ok(iter.fd > 0);
  assert.throws(() => linkDetach(link), {
    code: 'EOPNOTSUPP',
    message: /cannot be detached while they are open: close it/,
  });
});

/** The first command of a process that is in the cgroup: its program decides whether it may send. */
function inCgroup(fn: (cgroup: { readonly path: string; readonly fd: number }) => void): void {
  const path = join(mountOf('cgroup2') ?? assert.fail('no cgroup2 is mounted'), `bpf_sys_test_${process.pid}`);
  mkdirSync(path);
  const fd = openSync(path, 'r');
  try {
    fn({ path, fd });
  } finally {
    closeSync(fd);
    rmdirSync(path);
  }
}

kernelTest(cgroupLinks, 'a link on a cgroup is made, updated, found and detached', () => {
  inCgroup((cgroup) => {
    using allow = load({ type: 'cgroup_skb', insns: RETURN_1, expectedAttachType: 'cgroup_inet_egress' });
    using deny = load({ type: 'cgroup_skb', insns: RETURN_0, expectedAttachType: 'cgroup_inet_egress' });
    const at = { target: cgroup, attachType: 'cgroup_inet_egress' } as const;
    using link = linkCreate({ prog: allow, ...at });
    assert.deepEqual(progQuery(at).progIds, [progGetInfo(allow).id]);
    const info = linkGetInfo(link);
    assert.ok(info.type === 'cgroup' && info.attachType === 'cgroup_inet_egress' && info.cgroupId > 0n);
    assert.throws(() => linkUpdate(link, { replacement: deny, old: deny }), {
      code: 'EPERM',
      message: /is not the one/,
    });
    linkUpdate(link, { replacement: deny, old: allow });
    assert.deepEqual(progQuery(at).progIds, [progGetInfo(deny).id]);
    linkDetach(link);
    assert.deepEqual(progQuery(at).progIds, []);
  });
});

kernelTest(cgroupLinks, 'attaching to a cgroup without a link stays until it is detached', () => {
  inCgroup((cgroup) => {
    using prog = load({ type: 'cgroup_skb', insns: RETURN_1, expectedAttachType: 'cgroup_inet_ingress' });
    const at = { target: cgroup, attachType: 'cgroup_inet_ingress' } as const;
    assert.throws(() => progDetach(prog, at), { code: 'ENOENT', message: /is not attached there/ });
    progAttach(prog, at, { flag: 'allow_multi' });
    assert.deepEqual(progQuery(at).progIds, [progGetInfo(prog).id]);
    assert.equal(progQuery(at).attachFlags, 2);
    using other = load({ type: 'cgroup_skb', insns: RETURN_0, expectedAttachType: 'cgroup_inet_ingress' });
    progAttach(other, at, { flag: 'allow_multi', replace: prog });
    assert.deepEqual(progQuery(at, { effective: true }).progIds.includes(progGetInfo(other).id), true);
    progDetach(other, at);
    assert.deepEqual(progQuery(at).progIds, []);
  });
});

kernelTest(kprobeMulti, 'kprobe_multi counts the calls of two functions', () => {
  using map = mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1 });
  using prog = load({ type: 'kprobe', expectedAttachType: 'trace_kprobe_multi', insns: counting(map.fd) });
  using link = linkCreate({
    prog,
    attachType: 'trace_kprobe_multi',
    kprobeMulti: { symbols: ['vfs_read', 'vfs_open'], cookies: [1n, 2n] },
  });
  readFileSync('/proc/self/stat');
  const value = new Uint8Array(8);
  mapLookupElem(map, new Uint8Array(4), value);
  assert.ok(new DataView(value.buffer).getUint32(0, true) >= 2);
  const info = linkGetInfo(link);
  assert.ok(info.type === 'kprobe_multi', info.type);
  assert.throws(
    () => linkCreate({ prog, attachType: 'trace_kprobe_multi', kprobeMulti: { symbols: ['no_such_function'] } }),
    SysError,
  );
  assert.throws(() => linkCreate({ prog, attachType: 'trace_kprobe_multi', kprobeMulti: {} }), RangeError);
  assert.throws(
    () => linkCreate({ prog, attachType: 'trace_kprobe_multi', kprobeMulti: { symbols: ['vfs_read'], cookies: [] } }),
    /there are 0 cookies for 1 places/,
  );
});

kernelTest(uprobeMulti, 'uprobe_multi is on a function of this very program', () => {
  using map = mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1 });
  using prog = load({ type: 'kprobe', expectedAttachType: 'trace_uprobe_multi', insns: counting(map.fd) });
  using link = linkCreate({
    prog,
    attachType: 'trace_uprobe_multi',
    uprobeMulti: { path: '/proc/self/exe', offsets: [entryOffset()], pid: process.pid },
  });
  const info = linkGetInfo(link);
  assert.ok(info.type === 'uprobe_multi' && info.count === 1, info.type);
});

/** `(*map[0])++; return 0`. */
function counting(fd: number): Uint8Array {
  const insns = hex(
    '620afcff00000000', // *(u32 *)(r10 - 4) = 0
    'bfa2000000000000', // r2 = r10
    '07020000fcffffff', // r2 += -4
    '1811000000000000',
    '0000000000000000', // r1 = map
    '8500000001000000', // call map_lookup_elem
    '1500020000000000', // if r0 == 0 goto +2
    'b701000001000000', // r1 = 1
    'db10000000000000', // lock *(u64 *)(r0 + 0) += r1
    'b700000000000000',
    '9500000000000000',
  );
  new DataView(insns.buffer).setUint32(3 * 8 + 4, fd, true);
  return insns;
}

kernelTest(progLoading, 'a field that this kernel does not know is named', () => {
  const PROG_TOKEN_FD_AT = 144;
  const known = attrSize() > PROG_TOKEN_FD_AT;
  // Where it is known, descriptor 1 is no token.
  const refused = known ? { code: 'EINVAL' } : { code: 'E2BIG', message: /does not know prog_token_fd: leave it out/ };
  assert.throws(() => load({ token: { fd: 1 }, flags: ['token_fd'] }), refused);
});

kernelTest(bpfSyscall, 'a command that this kernel does not know says since when there is one', () => {
  withBpffs((path) => {
    using root = fileOpen(path, O_RDONLY);
    const known = hasEnumerator('bpf_cmd', 'BPF_TOKEN_CREATE');
    // Where it is known: not in the initial user namespace.
    const refused = known
      ? { code: 'EOPNOTSUPP' }
      : { name: 'UnavailableError', message: /BPF_TOKEN_CREATE needs Linux 6\.9, and this is/ };
    assert.throws(() => tokenCreate(root), refused);
  });
});
