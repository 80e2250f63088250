import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { buildBtf } from '../../../packages/btf/test/build.ts';
import { everyKind, FUNC, FUNC_PROTO, INT, STRUCT } from '../../../packages/btf/test/format/records.ts';
import { addBtfCommands } from '../src/btf.ts';
import { fentry } from '../src/btf-func.ts';
import { matcher } from '../src/btf-list.ts';
import { nearest } from '../src/btf-names.ts';

const bytes = buildBtf([
  ...everyKind,
  /* 20 */ { name: 'large', kind: STRUCT, vlen: 1, sizeOrType: 24, extra: ['all', 21, 0] },
  /* 21 */ { kind: 3, extra: [1, 1, 6] },
  /* 22 */ { kind: FUNC_PROTO, vlen: 3, sizeOrType: 1, extra: ['n', 1, 'node', 4, 'next', 2] },
  /* 23 */ { name: 'vfs_read', kind: FUNC, vlen: 1, sizeOrType: 22 },
  /* 24 */ { name: 'node_\x1b[2J', kind: INT, sizeOrType: 4, extra: [32] },
]);

let folder = '';
let file = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bpf-btf-'));
  file = join(folder, 'types.btf');
  writeFileSync(file, bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What `bpf btf …` prints. */
async function run(...args: string[]): Promise<string> {
  const chunks: Buffer[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    chunks.push(Buffer.from(chunk));
    return true;
  });
  try {
    const bpf = new Command('bpf').exitOverride().configureOutput({ writeErr: () => undefined });
    addBtfCommands(bpf);
    await bpf.parseAsync(['btf', ...args], { from: 'user' });
  } finally {
    write.mockRestore();
  }
  return Buffer.concat(chunks).toString();
}

test('dump: C, raw, JSON, and only some types', async () => {
  expect(await run('dump', '--file', file)).toMatch(
    /^#ifndef __VMLINUX_H__\n[\s\S]*\nstruct large \{\n\tint all\[6\];\n\};/,
  );
  expect(await run('dump', '--file', file, '--format', 'raw')).toMatch(/^\[1\] INT 'int' size=4 /);
  expect(JSON.parse(await run('dump', '--file', file, '--format', 'json')).types).toHaveLength(24);
  const some = await run('dump', '--file', file, '--root', 'struct large', 'mode');
  expect(some).toContain('struct large {');
  expect(some).toContain('enum mode {');
  expect(some).not.toContain('struct node {');
  await expect(run('dump', '--file', file, '--format', 'raw', '--root', 'large')).rejects.toThrow(/--root goes with/);
});

test('type: every type with the name, offsets and sizes in comments', async () => {
  const node = 'struct node {\n\tstruct node *next;                              /*     0     8 */\n';
  expect(await run('type', 'node', '--file', file)).toContain(node);
  expect(await run('type', 'struct', 'node', '--file', file)).toContain(node);
  expect(await run('type', 'int', '--file', file)).toBe('int; /* size: 4 */\n');
});

test('func: prototype, slots, and why fentry cannot attach', async () => {
  expect(await run('func', 'vfs_read', '--file', file)).toMatchInlineSnapshot(`
    "int vfs_read(int n, struct node node, struct node *next);

    slot 0     int n (the low 32 bits, sign-extend)
    slot 1-2   struct node node (16 bytes, by value)
    slot 3     struct node *next
    slot 4     returns int (the low 32 bits, sign-extend)

    fentry: unknown: its prototype permits it, but whether the kernel can trace it is in /sys/kernel/tracing/available_filter_functions, which was not read.
    "
  `);
  expect(await run('func', 'print', '--file', file)).toContain(
    'cannot attach: it takes a variable number of arguments.',
  );
});

test('list: by kind, part of a name, or pattern; names cannot write to the terminal', async () => {
  expect(await run('list', '--file', file, 'node')).toBe('     4 struct   node\n    24 int      node_\\x1b[2J\n');
  expect(await run('list', '--file', file, '--kind', 'func')).toBe('    13 func     print\n    23 func     vfs_read\n');
  expect(await run('list', '--file', file, 'vfs_?ea*')).toBe('    23 func     vfs_read\n');
  await expect(run('list', '--file', file, 'nothing')).rejects.toThrow('No type has such a name: nothing.');
});

test('a name that does not exist suggests near ones', async () => {
  await expect(run('type', 'nod', '--file', file)).rejects.toThrow(
    "There is no type 'nod' in these types. Did you mean node?",
  );
  await expect(run('type', 'struct', 'mode', '--file', file)).rejects.toThrow(/no struct 'mode'.* Did you mean node\?/);
  await expect(run('func', 'vfs_raed', '--file', file)).rejects.toThrow(
    "There is no function 'vfs_raed' in these types. Did you mean vfs_read?",
  );
  await expect(run('dump', '--file', file, '--root', 'zzzzzzzz')).rejects.toThrow(/in these types\.$/);
});

test('files that are corrupt, of no kind, or not there', async () => {
  const other = join(folder, 'other');
  writeFileSync(other, bytes.subarray(0, 200));
  await expect(run('dump', '--file', other)).rejects.toThrow(/other: BTF is corrupt at byte 8: a section/);
  writeFileSync(other, '\x7fELF');
  await expect(run('dump', '--file', other)).rejects.toThrow(/other: the ELF file is corrupt at byte 0: /);
  const broken = bytes.slice();
  broken[27] = 0xff; // the kind of the first type
  broken[31] = 0x1f;
  writeFileSync(other, broken);
  for (const format of ['raw', 'c', 'json'])
    await expect(run('dump', '--file', other, '--format', format)).rejects.toThrow(
      /corrupt at byte 28: kind 31 is unknown/,
    );
  await expect(run('list', '--file', join(folder, 'none'))).rejects.toThrow(/ENOENT/);
});

test('a module goes on from its base', async () => {
  const split = join(folder, 'split');
  // Its only string starts where those of the base end.
  const module = buildBtf([{ name: 'mine', kind: STRUCT, vlen: 1, sizeOrType: 4, extra: [0, 6, 0] }]);
  new DataView(module.buffer).setUint32(24, new DataView(bytes.buffer).getUint32(20, true) + 1, true);
  writeFileSync(split, module);
  expect(await run('dump', '--file', split, '--base', file, '--format', 'raw')).toBe(
    "[25] STRUCT 'mine' size=4 vlen=1\n\t'(anon)' type_id=6 bits_offset=0\n",
  );
  await expect(run('dump', '--file', split)).rejects.toThrow(/--base names the types of its kernel/);
});

test('fentry: what the prototype forbids, then what ftrace lists', () => {
  const argument = { name: 'a', typeId: 1, slot: 0, slots: 1, size: 8, signed: false, kind: 'ptr' } as const;
  const func = { id: 1, name: 'f', params: [argument], returns: undefined, variadic: false };
  expect(fentry(func, new Set(['f']))).toBe('can attach.');
  expect(fentry(func, new Set(['g']))).toMatch(/^cannot attach: the kernel does not list it/);
  expect(fentry(func, undefined)).toMatch(/^unknown: /);
  expect(fentry({ ...func, variadic: true }, undefined)).toMatch(/variable number/);
  expect(fentry({ ...func, params: Array(13).fill(argument) }, undefined)).toMatch(
    /take 13 slots, and the limit is 12/,
  );
  const large = { ...argument, kind: 'struct', slots: 3, size: 24 } as const;
  expect(fentry({ ...func, params: [large] }, undefined)).toBe(
    'cannot attach: a is 24 bytes by value, and the limit is 16.',
  );
  expect(fentry({ ...func, returns: { ...large, size: 8 } }, undefined)).toMatch(/returns a struct by value/);
  expect(fentry({ ...func, returns: { ...argument, kind: 'float' } }, undefined)).toMatch(/floating-point/);
});

test('patterns and near names', () => {
  expect(['vfs_read', 'vfs.read', 'read'].filter(matcher('vfs?read'))).toEqual(['vfs_read', 'vfs.read']);
  expect(['a.b', 'axb'].filter(matcher('*.b'))).toEqual(['a.b']);
  expect(['abc', 'b'].filter(matcher(undefined))).toEqual(['abc', 'b']);
  expect(nearest('task_strct', ['task_struct', 'mask_struct', 'task'])).toEqual(['task_struct']);
  expect(nearest('x', ['', 'abc'])).toEqual([]);
});
