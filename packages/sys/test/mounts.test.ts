import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findMounts, mountOf } from '../src/index.ts';
import { chooseMount, parseMountinfo } from '../src/mounts.ts';

const lines = (...text: string[]) => parseMountinfo(text.join('\n'));

test('lines of mountinfo, with no tag, one or more', () => {
  expect(
    lines(
      '22 27 0:21 / /proc rw,relatime - proc proc rw',
      '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
      '37 35 98:0 / /a rw shared:1 master:2 - bpf none rw',
      '',
    ),
  ).toEqual([
    { type: 'proc', path: '/proc', root: '/' },
    { type: 'ext3', path: '/mnt2', root: '/mnt1' },
    { type: 'bpf', path: '/a', root: '/' },
  ]);
});

test('escapes', () => {
  expect(lines('1 2 0:1 /b\\134c /mnt/my\\040disk\\011\\012é rw - bpf a\\040b rw')).toEqual([
    { type: 'bpf', path: '/mnt/my disk\t\né', root: '/b\\c' },
  ]);
  // An escaped backslash is not the beginning of another escape.
  expect(lines('1 2 0:1 / /a\\134040 rw - bpf none rw')[0]?.path).toBe('/a\\040');
});

test('lines of another form are left out', () => {
  expect(lines('', ' ', 'nonsense', '1 2 0:1 / /a rw', '1 2 0:1 / /a rw -', '1 2 0:1 / - rw shared:1')).toEqual([]);
  expect(lines('1 2 0:1 / - rw - bpf none rw')).toEqual([{ type: 'bpf', path: '-', root: '/' }]);
});

test('a later mount hides an earlier one at the same place', () => {
  const mounts = lines('1 2 0:1 / /sys/fs/bpf rw - bpf none rw', '3 1 0:2 / /sys/fs/bpf rw - tmpfs none rw');
  expect(chooseMount(mounts, 'bpf')).toBeUndefined();
});

test('the usual place comes first, then a whole one, then any', () => {
  const part = '1 2 0:1 /x /part rw - bpf none rw';
  const other = '1 2 0:1 / /other rw - bpf none rw';
  const usual = '1 2 0:1 / /sys/fs/bpf rw - bpf none rw';
  expect(chooseMount(lines(part, other, usual), 'bpf')).toBe('/sys/fs/bpf');
  expect(chooseMount(lines(part, other), 'bpf')).toBe('/other');
  expect(chooseMount(lines(part), 'bpf')).toBe('/part');
  expect(chooseMount([], 'bpf')).toBeUndefined();
});

test.runIf(process.platform === 'linux')('what is mounted here is there', () => {
  expect(findMounts()).toContainEqual({ type: 'proc', path: '/proc', root: '/' });
  for (const type of ['bpf', 'tracefs', 'debugfs', 'cgroup2'] as const) {
    const path = mountOf(type);
    if (path !== undefined) expect(existsSync(path)).toBe(true);
  }
});
