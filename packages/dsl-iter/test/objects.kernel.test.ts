// Iterators over what BPF itself has: maps, their elements, programs and links.
import assert from 'node:assert/strict';
import { array, char, struct, u8, u32, u64 } from '@bpf/btf/data';
import { copyFields, setField, stackRecord, structPtr } from '@bpf/dsl';
import { ldx, mov, st, stx } from '@bpf/insn';
import { createMap } from '@bpf/maps';
import { attach, kernelBtf, loadProgram, openIterator } from '@bpf/programs';
import { linkGetFdById, linkGetNextId, mapGetNextId, progGetInfo, progGetNextId, SysError } from '@bpf/sys';
import { iterator } from '../../../tooling/kernel-test/features.ts';
import { kernelTest } from '../../../tooling/kernel-test/harness.ts';
import { iterProgram, loadOrExit, makeIterInfo, minimalTaskIterator, seqWrite, writeRecord } from '../src/index.ts';
import { ids, lasting, rows } from './kit.ts';

kernelTest(iterator('bpf_map'), 'lists the maps that BPF_MAP_GET_NEXT_ID does', () => {
  const btf = kernelBtf();
  const Row = struct({ id: u32, maxEntries: u32, name: char(16) });
  const row = stackRecord(Row, -24);
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 4, maxEntries: 77, name: 'listed' });
  const maps = iterProgram('bpf_map', 'maps', (ctx) => [
    loadOrExit(ctx, 'r7', 'map'),
    copyFields(structPtr(btf, 'bpf_map', 'r7'), row, { id: 'id', maxEntries: 'max_entries', name: 'name' }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () => ids(mapGetNextId),
    () => rows(maps, Row),
  );
  const { id } = map.info;
  assert.deepEqual(
    result.find((one) => one.id === id),
    { id, maxEntries: 77, name: 'listed' },
  );
  for (const id of there)
    assert.ok(
      result.some((one) => one.id === id),
      `map ${id}`,
    );
});

kernelTest(iterator('bpf_prog'), 'lists the programs that BPF_PROG_GET_NEXT_ID does', () => {
  const btf = kernelBtf();
  const Row = struct({ id: u32, type: u32, name: char(16), tag: array(u8, 8), jited: u8, gpl: u8 });
  const row = stackRecord(Row, -40);
  using own = loadProgram(makeIterInfo('own_program', 'task', minimalTaskIterator()));
  using free = loadProgram({ ...makeIterInfo('free_program', 'task', minimalTaskIterator()), license: 'MIT' });
  const programs = iterProgram('bpf_prog', 'programs', (ctx) => [
    loadOrExit(ctx, 'r7', 'prog'),
    copyFields(structPtr(btf, 'bpf_prog', 'r7'), row, {
      ...{ id: 'aux.id', type: 'type', name: 'aux.name', tag: 'tag' },
      ...{ jited: 'jited', gpl: 'gpl_compatible' }, // each a bit
    }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () => ids(progGetNextId),
    () => rows(programs, Row),
  );
  for (const prog of [own, free]) {
    const { id, tag, name, gplCompatible, jitedLength } = progGetInfo(prog);
    const found = result.find((one) => one.id === id);
    assert.deepEqual(
      { ...found, tag: Buffer.from(found?.tag ?? []).toString('hex') },
      { id, type: 26, name, tag, gpl: Number(gplCompatible), jited: Number(jitedLength > 0) },
    );
  }
  for (const id of there)
    assert.ok(
      result.some((one) => one.id === id),
      `program ${id}`,
    );
});

/** Those that nobody holds any more keep their id for a while, and are passed over. */
function isHeld(link: number): boolean {
  try {
    linkGetFdById(link).close();
    return true;
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
}

kernelTest(iterator('bpf_link'), 'lists the links that BPF_LINK_GET_NEXT_ID does', () => {
  const btf = kernelBtf();
  const Row = struct({ id: u32, prog: u32 });
  const row = stackRecord(Row, -8);
  using own = loadProgram(makeIterInfo('own_program', 'task', minimalTaskIterator()));
  using _ = attach(own);
  const links = iterProgram('bpf_link', 'links', (ctx) => [
    loadOrExit(ctx, 'r7', 'link'),
    copyFields(structPtr(btf, 'bpf_link', 'r7'), row, { id: 'id', prog: 'prog.aux.id' }),
    writeRecord(ctx, row),
  ]);
  const { there, result } = lasting(
    () => [...ids(linkGetNextId)].filter(isHeld),
    () => rows(links, Row),
  );
  assert.ok(result.some(({ prog }) => prog === progGetInfo(own).id));
  for (const id of there)
    assert.ok(
      result.some((one) => one.id === id),
      `link ${id}`,
    );
});

kernelTest(iterator('bpf_map_elem'), 'visits every element, and may write to its value', () => {
  using map = createMap({ type: 'hash', key: u32, value: u64, maxEntries: 10 });
  for (const key of [1, 2, 3]) map.set(key, BigInt(key) * 10n);
  const Element = struct({ value: u64, key: u32 }, { packed: true });
  const elements = iterProgram('bpf_map_elem', 'elements', (ctx) => [
    loadOrExit(ctx, 'r7', 'key'),
    loadOrExit(ctx, 'r8', 'value'),
    seqWrite(ctx, 'r8', 8),
    seqWrite(ctx, 'r7', 4),
    [ldx('dw', 'r1', 'r8', 0), st('dw', 'r8', 0, 5)],
  ]);
  const found = rows(elements, Element, { iterInfo: { map } }).sort((a, b) => a.key - b.key);
  assert.deepEqual(
    found,
    [1, 2, 3].map((key) => ({ key, value: BigInt(key) * 10n })),
  );
  assert.deepEqual(
    [...map].map(([, value]) => value),
    [5n, 5n, 5n],
  );
});

kernelTest(iterator('bpf_map_elem'), 'more than the value has is refused when it is attached', () => {
  using map = createMap({ type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1 });
  const tooMuch = iterProgram('bpf_map_elem', 'too_much', (ctx) => [
    loadOrExit(ctx, 'r7', 'value'),
    seqWrite(ctx, 'r7', 16),
  ]);
  loadProgram(tooMuch).close();
  assert.throws(() => openIterator(tooMuch, { iterInfo: { map } }), /EACCES/);
});

kernelTest(iterator('task'), 'a program keeps its registers over the calls of a record', () => {
  const Row = struct({ a: u32, b: u32 });
  const row = stackRecord(Row, -8);
  const found = rows(
    iterProgram('task', 'registers', (ctx) => [
      loadOrExit(ctx, 'r7', 'task'),
      [mov('r8', 8), mov('r9', 9)],
      copyFields(structPtr(kernelBtf(), 'task_struct', 'r7'), row, { a: 'pid' }),
      [setField(row, 'a', 'r8'), setField(row, 'b', 7)],
      writeRecord(ctx, row),
      [stx('w', 'r10', 'r9', -8), seqWrite(ctx, -8, 8)],
    ]),
    Row,
  );
  assert.deepEqual(found.slice(0, 2), [
    { a: 8, b: 7 },
    { a: 9, b: 7 },
  ]);
});
