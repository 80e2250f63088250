import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const house = mkdtempSync(join(tmpdir(), 'bpf-arrows-'));
for (const room of ['insn', 'btf', 'dsl', 'dsl-iter', 'sys', 'programs']) {
  const to = join(house, 'packages', room);
  mkdirSync(join(to, 'test'), { recursive: true });
  for (const part of ['src', 'package.json'])
    cpSync(join(root, 'packages', room, part), join(to, part), { recursive: true });
  // As the workspace links them, but within this copy: each package finds all the others.
  mkdirSync(join(to, 'node_modules/@bpf'), { recursive: true });
  for (const other of ['insn', 'btf', 'dsl', 'sys', 'programs'])
    if (other !== room) symlinkSync(join(house, 'packages', other), join(to, 'node_modules/@bpf', other));
}
writeFileSync(join(house, 'packages/insn/test/helper.ts'), 'export const helper = 1;\n');
symlinkSync(join(root, 'node_modules/koffi'), join(house, 'packages/sys/node_modules/koffi'));
symlinkSync(join(root, 'node_modules/vitest'), join(house, 'packages/sys/node_modules/vitest'));
afterAll(() => rmSync(house, { recursive: true }));

/** A wrong arrow each: what it is, whose, its source, and the rule that it breaks. */
const violations = [
  ['upwards', 'insn', "export { parseBtf } from '@bpf/btf';", 'insn-imports'],
  ['upwards, of a type only', 'sys', "export type { Insn } from '@bpf/insn';", 'sys-imports'],
  [
    'of a value, where a type is allowed',
    'dsl-iter',
    "export { parseBtf } from '@bpf/btf';",
    'dsl-iter-imports-types-only',
  ],
  [
    'of Node, in a pure package',
    'insn',
    "export { readFileSync } from 'node:fs';",
    'pure-packages-import-nothing-from-node',
  ],
  ['of a library', 'sys', "export { test } from 'vitest';", 'sys-dependencies'],
  ['of a library that is not there', 'insn', "export { x } from 'left-pad';", 'everything-resolves'],
  [
    'past the index',
    'programs',
    "export { encode } from '../../insn/src/encode.ts';",
    'packages-are-entered-through-their-index',
  ],
  ['of a test', 'insn', "export { helper } from '../test/helper.ts';", 'sources-do-not-import-tests'],
  ['in a circle', 'insn', "import './planted-8.ts';", 'no-circles'],
] as const;
const right = ['dsl-iter', "export type { Btf } from '@bpf/btf';"] as const;

const plant = (room: string, name: string, source: string): void =>
  writeFileSync(join(house, `packages/${room}/src/${name}.ts`), `${source}\n`);
for (const [i, [, room, source]] of violations.entries()) plant(room, `planted-${i}`, source);
plant(right[0], 'right', right[1]);

const { status, stdout } = spawnSync(
  join(root, 'node_modules/.bin/depcruise'),
  ['packages', '--config', join(root, 'tooling/arrows.cjs'), '--output-type', 'err'],
  { cwd: house, encoding: 'utf8' },
);

test('wrong arrows fail the check', () => {
  expect(status).not.toBe(0);
});

test.each(violations.map((violation, i) => [...violation, i] as const))(
  'an import %s is refused',
  (_, room, __, rule, i) => {
    expect(stdout).toMatch(new RegExp(`error ${rule}: packages/${room}/src/planted-${i}.ts`));
  },
);

test('nothing else is', () => {
  const places = [...stdout.matchAll(/error \S+: (\S+)/g)].map(([, place]) => place);
  expect(places.filter((place) => !place?.includes('/planted-'))).toEqual([]);
});
