import { expect, test } from 'vitest';
import * as sys from '../src/index.ts';
import { FakeKernel } from './safety-kernel.ts';

/** What a number that is not one for the kernel looks like: each must be refused before the kernel sees it. */
const never = [Number.NaN, 0.5, 2 ** 53 + 2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '1', {}, true];
const kinds = {
  u32: [...never, -1, 2 ** 32, 1n],
  s32: [...never, -(2 ** 31) - 1, 2 ** 31, 1n],
  fd: [...never.filter((bad) => typeof bad !== 'object'), -1, 2 ** 31, 1n],
  u64: [...never, -1, -1n, 2n ** 64n],
  /** Bigints only. */
  big: [...never, 1, -1n, 2n ** 64n],
  /** A length of memory. */
  bytes: [...never, -1, 2 ** 31, 1n],
} as const;

const insns = new Uint8Array(16);
const prog = { type: 'socket_filter', insns, license: 'GPL' } as const;
const hash = { type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 } as const;
const some = { fd: 5 };
const at = { target: some, attachType: 'xdp' } as const;
const link = { prog: some, attachType: 'trace_iter' } as const;
const records = new Uint8Array(64);

type Call = (n: never) => unknown;
type Row = readonly [what: string, kind: keyof typeof kinds, call: Call];
const row = <N = number>(what: string, kind: keyof typeof kinds, call: (n: N) => unknown): Row => [
  what,
  kind,
  call as Call,
];

/** Every number that an exported function takes, by the function's name. */
const table: Partial<Record<keyof typeof sys, readonly Row[]>> = {
  Fd: [row('fd', 'fd', (n) => new sys.Fd(n))],
  MapFd: [row('fd', 'fd', (n) => new sys.MapFd(n))],
  bpf: [
    row('command', 'u32', (n) => sys.bpf(n, 4096, 4)),
    row('attrAddress', 'u64', (n) => sys.bpf(0, n, 4)),
    row('attrBytes', 'u32', (n) => sys.bpf(0, 4096, n)),
  ],
  encodeAttr: [
    row('u32', 'u32', (n) => sys.encodeAttr('BPF_MAP_CREATE', { max_entries: n })),
    row('s32', 's32', (n) => sys.encodeAttr('BPF_MAP_CREATE', { map_token_fd: n })),
    row('u64', 'u64', (n) => sys.encodeAttr('BPF_MAP_CREATE', { map_extra: n })),
  ],
  withScope: [row('alloc', 'bytes', (n) => sys.withScope((scope) => scope.alloc(n)))],
  mapCreate: [
    row('type', 'u32', (type) => sys.mapCreate({ ...hash, type })),
    row('keySize', 'u32', (keySize) => sys.mapCreate({ ...hash, keySize })),
    row('valueSize', 'u32', (valueSize) => sys.mapCreate({ ...hash, valueSize })),
    row('maxEntries', 'u32', (maxEntries) => sys.mapCreate({ ...hash, maxEntries })),
    row('innerMap', 'u32', (fd) => sys.mapCreate({ ...hash, innerMap: { fd } })),
    row('numaNode', 'u32', (numaNode) => sys.mapCreate({ ...hash, numaNode })),
    row('ifindex', 'u32', (ifindex) => sys.mapCreate({ ...hash, ifindex })),
    row('btf', 'u32', (fd) => sys.mapCreate({ ...hash, btf: { fd } })),
    row('btfKeyTypeId', 'u32', (btfKeyTypeId) => sys.mapCreate({ ...hash, btfKeyTypeId })),
    row('btfValueTypeId', 'u32', (btfValueTypeId) => sys.mapCreate({ ...hash, btfValueTypeId })),
    row('btfVmlinuxValueTypeId', 'u32', (id) => sys.mapCreate({ ...hash, btfVmlinuxValueTypeId: id })),
    row('mapExtra', 'u64', (mapExtra) => sys.mapCreate({ ...hash, mapExtra })),
    row('token', 's32', (fd) => sys.mapCreate({ ...hash, token: { fd } })),
  ],
  mapFreeze: [row('map', 'u32', (fd) => sys.mapFreeze({ fd }))],
  mapGetInfo: [row('map', 'u32', (fd) => sys.mapGetInfo({ fd }))],
  mapLookupBatch: [
    row('flags', 'u64', (n) => batch((map, keys, values) => sys.mapLookupBatch(map, keys, values, undefined, n))),
  ],
  mapLookupAndDeleteBatch: [
    row('flags', 'u64', (n) =>
      batch((map, keys, values) => sys.mapLookupAndDeleteBatch(map, keys, values, undefined, n)),
    ),
  ],
  mapUpdateBatch: [row('flags', 'u64', (n) => batch((map, keys, values) => sys.mapUpdateBatch(map, keys, values, n)))],
  mapLookupElem: [
    row('flags', 'bytes', (n) => batch((map, key, value) => sys.mapLookupElem(map, key, value, flags(n)))),
  ],
  mapUpdateElem: [
    row('flags', 'bytes', (n) => batch((map, key, value) => sys.mapUpdateElem(map, key, value, flags(n)))),
  ],
  mapLookupAndDeleteElem: [
    row('flags', 'bytes', (n) => batch((map, key, value) => sys.mapLookupAndDeleteElem(map, key, value, flags(n)))),
  ],
  progLoad: [
    row('type', 'u32', (type) => sys.progLoad({ ...prog, type })),
    row('expectedAttachType', 'u32', (n) => sys.progLoad({ ...prog, expectedAttachType: n })),
    row('attachBtfId', 'u32', (attachBtfId) => sys.progLoad({ ...prog, attachBtfId })),
    row('attachTo', 'u32', (fd) => sys.progLoad({ ...prog, attachTo: { fd } })),
    row('ifindex', 'u32', (ifindex) => sys.progLoad({ ...prog, ifindex })),
    row('btf', 'u32', (fd) => sys.progLoad({ ...prog, btf: { fd } })),
    row('funcInfo', 'u32', (recordSize) => sys.progLoad({ ...prog, funcInfo: { bytes: records, recordSize } })),
    row('lineInfo', 'u32', (recordSize) => sys.progLoad({ ...prog, lineInfo: { bytes: records, recordSize } })),
    row('fdArray', 'fd', (fd) => sys.progLoad({ ...prog, fdArray: [3, fd] })),
    row('token', 's32', (fd) => sys.progLoad({ ...prog, token: { fd } })),
  ],
  progLoadWithLog: [row('level', 'u32', (level) => sys.progLoadWithLog(prog, level))],
  progBindMap: [
    row('prog', 'u32', (fd) => sys.progBindMap({ fd }, some)),
    row('map', 'u32', (fd) => sys.progBindMap(some, { fd })),
  ],
  progAssocStructOps: [
    row('prog', 'u32', (fd) => sys.progAssocStructOps({ fd }, some)),
    row('map', 'u32', (fd) => sys.progAssocStructOps(some, { fd })),
  ],
  progStreamRead: [
    row('prog', 'u32', (fd) => sys.progStreamRead({ fd }, 'stdout')),
    row('bytes', 'bytes', (n) => sys.progStreamRead(some, 'stdout', n)),
  ],
  progTestRun: [
    row('prog', 'u32', (fd) => sys.progTestRun({ fd })),
    row('dataSizeOut', 'bytes', (dataSizeOut) => sys.progTestRun(some, { dataSizeOut })),
    row('ctxSizeOut', 'bytes', (ctxSizeOut) => sys.progTestRun(some, { ctxSizeOut })),
    row('repeat', 'u32', (repeat) => sys.progTestRun(some, { repeat })),
    row('cpu', 'u32', (cpu) => sys.progTestRun(some, { cpu })),
    row('batchSize', 'u32', (batchSize) => sys.progTestRun(some, { liveFrames: { batchSize } })),
  ],
  progGetInfo: [row('prog', 'u32', (fd) => sys.progGetInfo({ fd }))],
  progGetXlated: [row('prog', 'u32', (fd) => sys.progGetXlated({ fd }))],
  progGetJited: [row('prog', 'u32', (fd) => sys.progGetJited({ fd }))],
  progAttach: [
    row('prog', 'u32', (fd) => sys.progAttach({ fd }, at)),
    row('target', 'u32', (fd) => sys.progAttach(some, { ...at, target: { fd } })),
    row('ifindex', 'u32', (ifindex) => sys.progAttach(some, { attachType: 'xdp', ifindex })),
    row('attachType', 'u32', (attachType) => sys.progAttach(some, { ...at, attachType })),
    row('replace', 'u32', (fd) => sys.progAttach(some, at, { replace: { fd } })),
    ...order((order) => sys.progAttach(some, at, { order })),
  ],
  progDetach: [
    row('prog', 'u32', (fd) => sys.progDetach({ fd }, at)),
    row('target', 'u32', (fd) => sys.progDetach(some, { ...at, target: { fd } })),
    row('attachType', 'u32', (attachType) => sys.progDetach(some, { ...at, attachType })),
  ],
  progQuery: [
    row('target', 'u32', (fd) => sys.progQuery({ ...at, target: { fd } })),
    row('attachType', 'u32', (attachType) => sys.progQuery({ ...at, attachType })),
  ],
  linkCreate: [
    row('prog', 'u32', (fd) => sys.linkCreate({ ...link, prog: { fd } })),
    row('target', 'u32', (fd) => sys.linkCreate({ ...link, target: { fd } })),
    row('ifindex', 'u32', (ifindex) => sys.linkCreate({ ...link, ifindex })),
    row('attachType', 'u32', (attachType) => sys.linkCreate({ ...link, attachType })),
    row('flags', 'u32', (flags) => sys.linkCreate({ ...link, flags })),
    row('targetBtfId', 'u32', (targetBtfId) => sys.linkCreate({ ...link, targetBtfId })),
    row('cookie', 'u64', (cookie) => sys.linkCreate({ ...link, cookie })),
    row('iterInfo.map', 'u32', (fd) => sys.linkCreate({ ...link, iterInfo: { map: { fd } } })),
    row('iterInfo.task.tid', 'u32', (tid) => sys.linkCreate({ ...link, iterInfo: { task: { tid } } })),
    row('iterInfo.task.pid', 'u32', (pid) => sys.linkCreate({ ...link, iterInfo: { task: { pid } } })),
    row('iterInfo.task.pidFd', 'u32', (pidFd) => sys.linkCreate({ ...link, iterInfo: { task: { pidFd } } })),
    row('iterInfo.cgroup.fd', 'u32', (fd) =>
      sys.linkCreate({ ...link, iterInfo: { cgroup: { order: 'children', fd } } }),
    ),
    row<bigint>('iterInfo.cgroup.id', 'u64', (id) =>
      sys.linkCreate({ ...link, iterInfo: { cgroup: { order: 'children', id } } }),
    ),
    row<bigint>('kprobeMulti.addresses', 'big', (n) =>
      sys.linkCreate({ ...link, kprobeMulti: { addresses: [0n, n] } }),
    ),
    row<bigint>('kprobeMulti.cookies', 'big', (n) =>
      sys.linkCreate({ ...link, kprobeMulti: { symbols: ['vfs_read'], cookies: [n] } }),
    ),
    row<bigint>('uprobeMulti.offsets', 'big', (n) =>
      sys.linkCreate({ ...link, uprobeMulti: { path: 'x', offsets: [n] } }),
    ),
    row<bigint>('uprobeMulti.refCtrOffsets', 'big', (n) =>
      sys.linkCreate({ ...link, uprobeMulti: { path: 'x', offsets: [0n], refCtrOffsets: [n] } }),
    ),
    row<bigint>('uprobeMulti.cookies', 'big', (n) =>
      sys.linkCreate({ ...link, uprobeMulti: { path: 'x', offsets: [0n], cookies: [n] } }),
    ),
    row('tracingMulti.btfIds', 'u32', (id) => sys.linkCreate({ ...link, tracingMulti: { btfIds: [id] } })),
    row<bigint>('tracingMulti.cookies', 'big', (n) =>
      sys.linkCreate({ ...link, tracingMulti: { btfIds: [1], cookies: [n] } }),
    ),
    row('uprobeMulti.pid', 'u32', (pid) => sys.linkCreate({ ...link, uprobeMulti: { path: 'x', offsets: [0n], pid } })),
    row('netfilter.pf', 'u32', (pf) => sys.linkCreate({ ...link, netfilter: { pf, hooknum: 0, priority: 0 } })),
    row('netfilter.hooknum', 'u32', (hooknum) =>
      sys.linkCreate({ ...link, netfilter: { pf: 2, hooknum, priority: 0 } }),
    ),
    row('netfilter.priority', 's32', (priority) =>
      sys.linkCreate({ ...link, netfilter: { pf: 2, hooknum: 0, priority } }),
    ),
    row('netfilter.flags', 'u32', (flags) =>
      sys.linkCreate({ ...link, netfilter: { pf: 2, hooknum: 0, priority: 0, flags } }),
    ),
    ...order((order) => sys.linkCreate({ ...link, order })),
  ],
  linkUpdate: [
    row('link', 'u32', (fd) => sys.linkUpdate({ fd }, { replacement: some })),
    row('replacement', 'u32', (fd) => sys.linkUpdate(some, { replacement: { fd } })),
    row('old', 'u32', (fd) => sys.linkUpdate(some, { replacement: some, old: { fd } })),
  ],
  linkDetach: [row('link', 'u32', (fd) => sys.linkDetach({ fd }))],
  linkGetInfo: [row('link', 'u32', (fd) => sys.linkGetInfo({ fd }))],
  iterCreate: [row('link', 'u32', (fd) => sys.iterCreate({ fd }))],
  rawTracepointOpen: [
    row('prog', 'u32', (fd) => sys.rawTracepointOpen({ prog: { fd } })),
    row('cookie', 'u64', (cookie) => sys.rawTracepointOpen({ prog: some, cookie })),
  ],
  progGetNextId: [row('id', 'u32', sys.progGetNextId)],
  mapGetNextId: [row('id', 'u32', sys.mapGetNextId)],
  btfGetNextId: [row('id', 'u32', sys.btfGetNextId)],
  linkGetNextId: [row('id', 'u32', sys.linkGetNextId)],
  progGetFdById: [row('id', 'u32', sys.progGetFdById)],
  mapGetFdById: [row('id', 'u32', sys.mapGetFdById)],
  btfGetFdById: [row('id', 'u32', sys.btfGetFdById)],
  linkGetFdById: [row('id', 'u32', sys.linkGetFdById)],
  btfGetInfo: [row('btf', 'u32', (fd) => sys.btfGetInfo({ fd }))],
  btfGetBytes: [row('btf', 'u32', (fd) => sys.btfGetBytes({ fd }))],
  objPin: [
    row('object', 'u32', (fd) => sys.objPin('/x', { fd })),
    row('dir', 's32', (fd) => sys.objPin('x', some, { dir: { fd } })),
  ],
  objGet: [row('dir', 's32', (fd) => sys.objGet('x', { dir: { fd } }))],
  taskFdQuery: [row('pid', 'u32', (pid) => sys.taskFdQuery(pid, 5)), row('fd', 'u32', (fd) => sys.taskFdQuery(1, fd))],
  tokenCreate: [row('bpffs', 'u32', (fd) => sys.tokenCreate({ fd }))],
  eventFd: [row('initial', 'u32', (n) => sys.eventFd(n))],
  fileOpen: [
    row('flags', 'fd', (n) => sys.fileOpen('/nowhere', n)),
    row('mode', 'fd', (n) => sys.fileOpen('/nowhere', 0, n)),
  ],
  fileRead: [row('fd', 'fd', (n) => sys.fileRead(n, 1)), row('size', 'bytes', (n) => sys.fileRead(0x7fff_ffff, n))],
  fileWrite: [row('fd', 'fd', (n) => sys.fileWrite(n, 'x'))],
  ioctl: [row('fd', 'fd', (n) => sys.ioctl(n, 0)), row('request', 'u32', (n) => sys.ioctl(5, n))],
  mmap: [
    row('fd', 'fd', (fd) => sys.mmap({ fd, length: 1, prot: 'read' })),
    row('length', 'u64', (length) => sys.mmap({ fd: 5, length: length, prot: 'read' })),
    row('offset', 'u64', (offset) => sys.mmap({ fd: 5, length: 1, offset, prot: 'read' })),
  ],
  perfEventOpen: [
    row('config', 'u64', (config) => sys.perfEventOpen({ type: 1, config })),
    // Text is the name of a PMU.
    row('type', 'u32', (type) => sys.perfEventOpen({ type: typeof type === 'number' ? type : -1, config: 0 })),
    row('pid', 'fd', (pid) => sys.perfEventOpen({ type: 1, config: 0, pid: pid === -1 ? -2 : pid })),
    row('cpu', 'fd', (cpu) => sys.perfEventOpen({ type: 1, config: 0, cpu: cpu === -1 ? -2 : cpu })),
    row('groupFd', 'fd', (groupFd) => sys.perfEventOpen({ type: 1, config: 0, groupFd })),
    row('samplePeriod', 'u64', (samplePeriod) => sys.perfEventOpen({ type: 1, config: 0, samplePeriod })),
    row('sampleFreq', 'u64', (sampleFreq) => sys.perfEventOpen({ type: 1, config: 0, sampleFreq })),
    row('sampleType', 'u64', (sampleType) => sys.perfEventOpen({ type: 1, config: 0, sampleType })),
    row('wakeupEvents', 'u32', (wakeupEvents) => sys.perfEventOpen({ type: 1, config: 0, wakeupEvents })),
    row('config2', 'u64', (config2) => sys.perfEventOpen({ type: 1, config: 0, config2 })),
  ],
  perfEventSetBpf: [
    row('event', 'fd', (n) => sys.perfEventSetBpf(n, 5)),
    row('prog', 'fd', (n) => sys.perfEventSetBpf(5, n)),
  ],
  perfEventEnable: [row('event', 'fd', (n) => sys.perfEventEnable(n))],
  perfEventDisable: [row('event', 'fd', (n) => sys.perfEventDisable(n))],
  waitReadable: [row('fds', 'fd', (n) => sys.waitReadable([n], 0))],
};
/** Those that take no number, or none that goes to the kernel; `rawSyscall` and `pollFd` have tests of their own. */
const without = new Set([
  ...['SysError', 'UnavailableError', 'btfLoad', 'capabilityNames', 'enableStats', 'errnoName', 'errnoNumber'],
  ...['fdKind', 'fileReadAll', 'fileWriteAll', 'findMounts', 'getErrno', 'kernelAtLeast', 'mapDeleteBatch'],
  ...['mapDeleteElem', 'mapFile', 'mapGetNextKey', 'mountOf', 'pageSize', 'parseCpuList', 'pollFd', 'possibleCpus'],
  ...['raiseMemlock', 'rawSyscall', 'readMachine', 'requireLinux', 'tracepointId', 'whyNotPermitted'],
]);

test('every exported function is looked at', () => {
  const functions = Object.entries(sys).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));
  expect(functions.filter((name) => !(name in table) && !without.has(name))).toEqual([]);
});

const rows = Object.entries(table).flatMap(([name, rows]) =>
  rows.map(([what, kind, call]) => ({ name: `${name}: ${what}`, kind, call })),
);
test.runIf(process.platform === 'linux').each(rows)('$name', ({ kind, call }) => {
  using kernel = new FakeKernel('hash', 4, 8);
  for (const bad of kinds[kind]) {
    const refused = expect.toSatisfy((error) => error instanceof RangeError || error instanceof TypeError);
    expect(() => call(bad as never), `${String(bad)} of type ${typeof bad}`).toThrow(refused);
  }
  expect(kernel.calls).toBe(0);
});

function order(use: (order: sys.LinkOrder) => unknown): Row[] {
  return [
    row('order.before.prog', 'u32', (fd) => use({ before: { prog: { fd } } })),
    row('order.before.link', 'u32', (fd) => use({ before: { link: { fd } } })),
    row('order.after.progId', 'u32', (progId) => use({ after: { progId } })),
    row('order.after.linkId', 'u32', (linkId) => use({ after: { linkId } })),
    row('order.expectedRevision', 'u64', (expectedRevision) => use({ expectedRevision })),
  ];
}

function batch(use: (map: sys.MapFd, keys: Uint8Array, values: Uint8Array) => unknown): unknown {
  using map = new sys.MapFd(0x7100_0000);
  return use(map, new Uint8Array(4), new Uint8Array(8));
}

/** Flags of an element reach beyond 32 bits: what is too long for memory is not too large for them. */
function flags(n: number): number {
  return n === 2 ** 31 ? 2 ** 53 : n;
}
