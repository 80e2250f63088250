// Many attachments: one after the other, some of which fail, and by several processes at once.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { getPriority, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { exit, ldMapFd, mov } from '@bpf/insn';
import {
  fileOpen,
  linkGetFdById,
  linkGetInfo,
  type MapFd,
  mapCreate,
  mapGetFdById,
  O_RDONLY,
  progGetFdById,
  progGetInfo,
  progQuery,
  SysError,
} from '@bpf/sys';
import { withCgroup } from '../../../tooling/kernel-test/cgroup.ts';
import { cgroupLinks, rawTracepoint } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { attachCgroup, attachRawTracepoint, loadProgram, maps, type Program, programs } from '../src/index.ts';
import { assertCounts, counting } from './attach-kit.ts';
import { Child, childArgument, until } from './child.ts';

/** Guests of the matrix are slow. More with BPF_TEST_ROUNDS, as CONTRIBUTING.md says. */
const ROUNDS = Number(process.env.BPF_TEST_ROUNDS ?? (process.env.BPF_KERNEL_TEST ? 30 : 300));
/** What the allocators of V8 and the C library keep for themselves, however many rounds there are. */
const SLACK = 16 * 2 ** 20;
const NAME = `many_${process.pid}`;

const setNice = (): void => setPriority(getPriority());
const openFiles = (): number => readdirSync('/proc/self/fd').length;
const makeMap = (): MapFd => mapCreate({ type: 'array', keySize: 4, valueSize: 8, maxEntries: 1, name: NAME });

/** A program that holds a map. */
function loadWith(map: MapFd): Program {
  const instructions = [ldMapFd('r1', 'held'), mov('r0', 0), exit()];
  return loadProgram({ name: NAME, type: 'raw_tracepoint', instructions }, { maps: { held: map } });
}

/** Bytes of this process, without what a collection frees. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage.rss();
}

function isGone(open: () => Disposable): boolean {
  try {
    open()[Symbol.dispose]();
    return false;
  } catch (error) {
    return error instanceof SysError && error.code === 'ENOENT';
  }
}

kernelTest(rawTracepoint, 'rounds of load, attach and close leave no descriptor, no object and no memory', () => {
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      using map = makeMap();
      using program = loadWith(map);
      using _ = attachRawTracepoint(program, 'sys_enter');
    }
  };
  rounds(Math.ceil(ROUNDS / 3));
  const before = { files: openFiles(), memory: memory() };
  rounds(ROUNDS);
  assert.equal(openFiles(), before.files);
  const grown = memory() - before.memory;
  assert.ok(grown < SLACK, `${ROUNDS} rounds left ${grown} bytes`);
  // The kernel lets go of them a moment later.
  const left = (): number => [...programs(), ...maps()].filter(({ name }) => name === NAME).length;
  assert.ok(
    until(() => left() === 0),
    `${left()} programs and maps are left`,
  );
});

kernelTest(rawTracepoint, 'when the fourth of four things fails, the three are released', () => {
  const made: { map: number; program: number; link: number }[] = [];
  const make = (): void => {
    using map = makeMap();
    using program = loadWith(map);
    using link = attachRawTracepoint(program, 'sys_enter');
    made.push({ map: map.info.id, program: progGetInfo(program).id, link: linkGetInfo(link).id });
    using _ = attachRawTracepoint(program, 'no_such_tracepoint');
  };
  const before = openFiles();
  assert.throws(make, { code: 'ENOENT', message: /this kernel has no tracepoint of this name/ });
  assert.equal(openFiles(), before);
  const [{ map, program, link } = assert.fail('nothing was made')] = made;
  for (const open of [() => mapGetFdById(map), () => progGetFdById(program), () => linkGetFdById(link)])
    assert.ok(
      until(() => isGone(open)),
      'something is left',
    );
});

/** Attaches where the other process does, which sees nothing of it, nor ends it. */
function attachOften(cgroup: string): void {
  using target = fileOpen(cgroup, O_RDONLY);
  const attached = (): readonly number[] => progQuery({ target, attachType: 'cgroup_sysctl' }).progIds;
  for (let i = 0; i < 10; i++) {
    using calls = counting({ type: 'raw_tracepoint' }, { mine: true });
    assertCounts(calls, attachRawTracepoint(calls.program, 'sys_enter'), setNice);
    using sysctl = counting({ type: 'cgroup_sysctl' }, { result: 1 });
    const { id } = progGetInfo(sysctl.program);
    const link = attachCgroup(sysctl.program, target, i % 2 === 0 ? {} : { how: 'BPF_PROG_ATTACH' });
    assert.ok(attached().includes(id));
    link.close();
    assert.ok(!attached().includes(id));
  }
}

const TOGETHER = 'two processes that attach to the same places';

kernelTest(cgroupLinks, `${TOGETHER} do not disturb each other`, () => {
  const start = (folder: string): string => join(folder, 'start');
  if (childArgument) {
    const [cgroup = '', folder = ''] = childArgument.split(':');
    writeSync(1, 'ready\n');
    assert.ok(
      until(() => existsSync(start(folder)), 50_000),
      'the other process did not start',
    );
    attachOften(cgroup);
    writeSync(1, 'done\n');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'bpf-together-'));
  try {
    withCgroup((cgroup) => {
      using other = new Child(TOGETHER, `${cgroup.path}:${folder}`);
      assert.equal(other.line(0), 'ready');
      writeFileSync(start(folder), '');
      attachOften(cgroup.path);
      assert.equal(other.line(1), 'done');
      assert.deepEqual(progQuery({ target: cgroup, attachType: 'cgroup_sysctl' }).progIds, []);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
