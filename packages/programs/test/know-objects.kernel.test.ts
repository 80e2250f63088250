import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { encodeBtf } from '@bpf/btf/build';
import { assemble, exit, ldMapFd, ldx, mov } from '@bpf/insn';
import { btfGetInfo, btfLoad, mapCreate, objPin, progGetInfo, progGetXlated, UnavailableError } from '@bpf/sys';
import { withBpffs } from '../../../tooling/kernel-test/bpffs.ts';
import { knowObjects } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import {
  attach,
  btfs,
  eachObject,
  holders,
  jited,
  links,
  loadProgram,
  maps,
  type Program,
  pins,
  programs,
  xlated,
} from '../src/index.ts';

const INT = encodeBtf([{ kind: 'int', name: 'int', size: 4, bits: 32, bitOffset: 0, encoding: 'signed' }]);
const load = (): Program =>
  loadProgram({
    name: 'known',
    type: 'raw_tracepoint',
    attachTo: 'sched_process_fork',
    instructions: [ldx('dw', 'r2', 'r1', 0), mov('r0', 0), exit()],
  });
const makeMap = () => mapCreate({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1, name: 'known' });

kernelTest(knowObjects, 'all programs, maps, links and BTF objects, with what the kernel says of them', () => {
  using program = load();
  using map = makeMap();
  using link = attach(program);
  const id = progGetInfo(program).id;
  const ours = [...programs()].find((info) => info.id === id);
  assert.ok(ours?.type === 'raw_tracepoint' && ours.name === 'known');
  assert.ok([...maps()].some((info) => info.id === map.info.id && info.name === 'known' && info.type === 'hash'));
  const found = [...links()].find((info) => info.progId === id);
  assert.ok(found?.type === 'raw_tracepoint' && found.name === 'sched_process_fork');
  assert.equal(found.id, link.info()?.id);
  using types = btfLoad(INT);
  const { id: typesId } = btfGetInfo(types);
  assert.ok([...btfs()].some((info) => info.id === typesId && !info.kernelBtf));
  // What the others do not tell; and what goes wrong leaves nothing open: the harness looks.
  assert.ok(
    [...eachObject('program', (object) => progGetXlated(object).length)].includes(progGetXlated(program).length),
  );
  const wrong = (): never => assert.fail('it cannot be read');
  assert.throws(() => [...eachObject('map', wrong)], { message: 'it cannot be read' });
  // One may stop at any time, with nothing left open: the harness looks.
  for (const info of programs()) if (info.id > 0) break;
  const ids = [...programs()].map((info) => info.id);
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
});

kernelTest(knowObjects, 'objects that go away while they are listed are left out', () => {
  const doomed = makeMap();
  const last = makeMap();
  const seen: number[] = [];
  for (const { id } of maps()) {
    seen.push(id);
    // The next one, or the one after that.
    if (id === doomed.info.id) last.close();
  }
  assert.ok(seen.includes(doomed.info.id));
  doomed.close();
});

kernelTest(
  knowObjects,
  'listing is for CAP_SYS_ADMIN',
  () => {
    assert.throws(() => [...programs()], UnavailableError);
    assert.throws(() => [...maps()], UnavailableError);
  },
  ['caps'],
);

kernelTest(
  knowObjects,
  'this process is among the holders, with its descriptors',
  () => {
    using program = load();
    using map = makeMap();
    using link = attach(program);
    const comm = readFileSync('/proc/self/comm', 'utf8').trimEnd();
    for (const [kind, id, fds] of [
      ['prog', progGetInfo(program).id, [program.fd]],
      ['map', map.info.id, [map.fd]],
      ['link', link.info()?.id ?? 0, [link.fd]],
    ] as const) {
      const { processes, pins } = holders(kind, id);
      assert.deepEqual(processes, [{ pid: process.pid, comm, fds }], kind);
      assert.deepEqual(pins, []);
    }
    assert.deepEqual(holders('map', 0x7fff_ffff).processes, []);
    assert.throws(() => holders('perf' as 'map', 1), RangeError);
  },
  ['root', 'caps'],
);

kernelTest(knowObjects, 'BTF has holders too, and nothing is hidden from root', () => {
  using btf = btfLoad(INT);
  const { id } = btfGetInfo(btf);
  const { processes, hiddenProcesses } = holders('btf', id);
  assert.ok(processes.some(({ pid, fds }) => pid === process.pid && fds.includes(btf.fd)));
  assert.equal(hiddenProcesses, 0);
});

kernelTest(knowObjects, 'pins are found when they are asked for', () => {
  withBpffs((path) => {
    using map = makeMap();
    using program = load();
    using link = attach(program);
    objPin(`${path}/map`, map);
    objPin(`${path}/prog`, program);
    objPin(`${path}/link`, link);
    const { id } = progGetInfo(program);
    assert.deepEqual(holders('prog', id, { pins: true }).pins, [`${path}/prog`]);
    assert.deepEqual(holders('map', map.info.id, { pins: true }).pins, [`${path}/map`]);
    assert.deepEqual(holders('map', id).pins, []);
    // A kernel with CONFIG_BPF_PRELOAD puts iterators on every bpffs: maps.debug and progs.debug.
    const pinned = [...pins(path)].filter((pin) => !pin.path.endsWith('.debug'));
    const found = pinned.sort((a, b) => (a.path < b.path ? -1 : 1));
    assert.deepEqual(found, [
      { path: `${path}/link`, kind: 'link', id: link.info()?.id },
      { path: `${path}/map`, kind: 'map', id: map.info.id },
      { path: `${path}/prog`, kind: 'prog', id },
    ]);
    assert.deepEqual([...pins(`${path}/nowhere`)], []);
  });
});

kernelTest(
  knowObjects,
  'the instructions as the kernel has them',
  () => {
    using map = makeMap();
    const instructions = [ldMapFd('r1', map.fd), mov('r0', 5), exit()];
    using program = loadProgram({ name: 'known', type: 'socket_filter', instructions });
    const insns = xlated(program);
    assert.deepEqual(insns.at(-2), mov('r0', 5));
    assert.deepEqual(insns.at(-1), exit());
    assert.equal(assemble(insns).length % 8, 0);
    assert.ok(jited(program).length > 0);
  },
  ['root', 'caps'],
);

kernelTest(knowObjects, 'instructions by the id of a program', () => {
  using program = load();
  const { id } = progGetInfo(program);
  assert.deepEqual(xlated(id), xlated(program));
  assert.throws(() => jited(0x7fff_ffff), { code: 'ENOENT' });
});
