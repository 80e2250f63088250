import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatC, formatJson, formatRaw } from '../src/format/index.ts';
import { type Btf, type BtfMember, parseBtf } from '../src/index.ts';
import { buildBtf } from './build.ts';
import { DECL_TAG, everyKind, TYPE_TAG } from './format/records.ts';
import { findTool, hasVmlinux, vmlinux } from './format/tools.ts';

const bpftool = findTool('bpftool', '/usr/sbin/bpftool');
const clang = findTool('clang', 'clang-19', 'clang-16', 'clang-14');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bpf-format-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const dumped = (...args: string[]): Buffer =>
  execFileSync(bpftool as string, ['btf', 'dump', 'file', ...args], { maxBuffer: 2 ** 30 });

test.runIf(bpftool)('raw text of every kind is what bpftool prints', () => {
  const attributes = everyKind
    .filter(({ kind }) => kind === DECL_TAG || kind === TYPE_TAG)
    .map((tag) => ({ ...tag, kindFlag: true }));
  const bytes = buildBtf([...everyKind, ...attributes]);
  const file = join(folder, 'every.btf');
  writeFileSync(file, bytes);
  expect(Buffer.concat([...formatRaw(parseBtf(bytes))]).toString()).toBe(dumped(file, 'format', 'raw').toString());
});

test.runIf(bpftool && hasVmlinux)("raw text and JSON of this machine's kernel are what bpftool prints", () => {
  const btf = parseBtf(readFileSync(vmlinux));
  expect(Buffer.concat([...formatRaw(btf)]).equals(dumped(vmlinux, 'format', 'raw'))).toBe(true);
  const theirs = execFileSync(bpftool as string, ['-j', 'btf', 'dump', 'file', vmlinux], { maxBuffer: 2 ** 30 });
  // Some releases extend the sign of unsigned 32-bit values.
  const text = theirs
    .toString('latin1')
    .replace(/"kind":"ENUM",[^\]]*/g, (values) =>
      values.replace(/"val":(\d{20})/g, (_, value: string) => `"val":${BigInt.asUintN(32, BigInt(value))}`),
    );
  expect(Buffer.concat([...formatJson(btf)]).toString('latin1') === text).toBe(true);
});

/** What must hold of the structs that come as the first of their name. */
function assertions(btf: Btf, ids: readonly number[]): string[] {
  const lines: string[] = [];
  for (const id of ids) {
    const type = btf.type(id);
    if (type.kind !== 'struct') continue;
    lines.push(`_Static_assert(sizeof(struct ${type.name}) == ${type.size}, "size of ${type.name}");`);
    const check = (members: readonly BtfMember[], from: number): void => {
      for (const { name, typeId, bitOffset, bitSize } of members) {
        const inner = btf.type(btf.resolve(typeId));
        if (name === '' && (inner.kind === 'struct' || inner.kind === 'union')) check(inner.members, from + bitOffset);
        else if (name !== '' && bitSize === 0)
          lines.push(
            `_Static_assert(__builtin_offsetof(struct ${type.name}, ${name}) == ${(from + bitOffset) / 8}, "${type.name}.${name}");`,
          );
      }
    };
    check(type.members, 0);
  }
  return lines;
}

const compile = (text: string): void => {
  const file = join(folder, 'vmlinux.c');
  writeFileSync(file, text);
  execFileSync(clang as string, ['-target', 'bpf', '-Wall', '-Werror', '-c', file, '-o', join(folder, 'vmlinux.o')], {
    stdio: 'pipe',
  });
};

test.runIf(clang && hasVmlinux)('the kernel as C compiles, with the sizes and offsets that BTF says', () => {
  const btf = parseBtf(readFileSync(vmlinux));
  const named = [...btf.all('struct')].filter(
    ({ id, name }) =>
      name !== '' && btf.find('struct', name) === id && !btf.find('union', name) && !btf.find('enum', name),
  );
  // A prime step: some of every part of the kernel.
  const ids = named.filter((_, i) => i % 23 === 0).map(({ id }) => id);
  expect(ids.length).toBeGreaterThan(100);
  const lines = assertions(btf, ids);
  expect(lines.length).toBeGreaterThan(1000);
  compile([formatC(btf), ...lines, ''].join('\n'));
  // With roots, what they need is there.
  compile([formatC(btf, { roots: ids }), ...lines, ''].join('\n'));
  const roots = ['task_struct', 'sk_buff', 'gfp_t'];
  compile(`${formatC(btf, { roots })}\nstruct task_struct task; struct sk_buff skb; gfp_t flags;\n`);
});

test.runIf(clang)('a wrong offset does not compile', () => {
  const btf = parseBtf(buildBtf(everyKind));
  expect(() => compile(`${formatC(btf)}\n_Static_assert(sizeof(struct node) == 8, "");\n`)).toThrow(/static assertion/);
  compile(`${formatC(btf)}\n${assertions(btf, [4]).join('\n')}\n`);
});
