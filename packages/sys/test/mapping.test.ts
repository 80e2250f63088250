import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventFd, fileOpen, type MmapOptions, mmap, O_RDONLY, O_RDWR, pageSize } from '../src/index.ts';

describe.runIf(process.platform === 'linux')('mappings', () => {
  let folder = '';
  let path = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bpf-sys-'));
    path = join(folder, 'file');
    writeFileSync(path, 'hello');
    truncateSync(path, 3 * pageSize());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('share memory with the file', () => {
    using file = fileOpen(path, O_RDWR);
    using mapping = mmap({ fd: file, length: pageSize() + 10, prot: 'read-write' });
    using read = mmap({ fd: file, length: 5, prot: 'read' });
    expect(mapping.byteLength).toBe(mapping.bytes.byteLength);
    expect(mapping.address % pageSize()).toBe(0);
    expect(read.bytes).toEqual(new Uint8Array(Buffer.from('hello')));
    mapping.bytes[0] = 'J'.charCodeAt(0);
    mapping.bytes[pageSize()] = 7;
    expect(read.bytes[0]).toBe(74);
    expect(readFileSync(path).subarray(0, 5).toString()).toBe('Jello');
    using second = mmap({ fd: file, length: 1, offset: pageSize(), prot: 'read' });
    expect(second.bytes).toEqual(Uint8Array.of(7));
  });

  test('unmap ends it, and views that are left see zeros', () => {
    using file = fileOpen(path, O_RDWR);
    const mapping = mmap({ fd: file, length: 2 * pageSize(), prot: 'read-write' });
    const { bytes, address } = mapping;
    bytes[1] = 99;
    const maps = (): string => readFileSync('/proc/self/maps', 'utf8');
    const range = `${address.toString(16)}-`;
    expect(maps()).toMatch(new RegExp(`^${range}.* rw-s .*${path}`, 'm'));
    mapping.unmap();
    mapping.unmap();
    expect(mapping.unmapped).toBe(true);
    expect(() => mapping.bytes).toThrow(new TypeError('this Mapping is unmapped'));
    expect(() => mapping.address).toThrow(TypeError);
    expect(maps()).not.toContain(path);
    expect(Buffer.from(bytes).every((byte) => byte === 0)).toBe(true);
    bytes[1] = 42; // reaches nobody
    expect(readFileSync(path)[1]).toBe(99);
  });

  test.runIf('transfer' in ArrayBuffer.prototype)('memory that was transferred outlives unmap, as zeros', () => {
    using file = fileOpen(path, O_RDWR);
    const mapping = mmap({ fd: file, length: pageSize(), prot: 'read-write' });
    const { buffer } = mapping.bytes as Uint8Array & { buffer: { transfer(): ArrayBuffer } };
    const moved = new Uint8Array(buffer.transfer());
    expect(moved[0]).not.toBe(0);
    mapping.unmap();
    expect(Buffer.from(moved).every((byte) => byte === 0)).toBe(true);
  });

  test('what cannot be mapped is an error that says why', () => {
    using file = fileOpen(path, O_RDONLY);
    const options: MmapOptions = { fd: file, length: 1, prot: 'read' };
    for (const length of [0, -1, 1.5, Number.NaN])
      expect(() => mmap({ ...options, length })).toThrow(`the length is ${length} bytes; it must be`);
    for (const offset of [-pageSize(), 1, Number.NaN])
      expect(() => mmap({ ...options, offset })).toThrow(`multiple of the page size, ${pageSize()}`);
    expect(() => mmap({ ...options, prot: 'write' as 'read' })).toThrow("prot is 'write'; it must be");
    expect(() => mmap({ ...options, prot: 'read-write' })).toThrow(
      `mmap failed with EACCES: 1 bytes of descriptor ${file.fd} at 0; it is not open for this: map it with prot 'read'`,
    );
    using event = eventFd();
    expect(() => mmap({ ...options, fd: event })).toThrow(/ENODEV: .*; this kind of file cannot be mapped/);
  });

  test('the addresses are released when nothing can reach them, and not before', () => {
    const script = `
      import { readFileSync } from 'node:fs';
      import { fileOpen, mmap, O_RDWR, pageSize } from './src/index.ts';
      const file = fileOpen(process.argv[1], O_RDWR);
      const ranges = [];
      // More than a page apart, so that the kernel does not join neighbours to one range.
      const lost = () => {
        for (let i = 0; i < 20; i++) {
          const mapping = mmap({ fd: file, length: 3 * pageSize(), prot: 'read-write' });
          ranges.push(mapping.address);
          mapping.unmap();
        }
      };
      const kept = mmap({ fd: file, length: 3 * pageSize(), prot: 'read-write' });
      const { bytes, address } = kept;
      kept.unmap();
      lost();
      const mapped = (at) => readFileSync('/proc/self/maps', 'utf8').split('\\n').some((line) => {
        const [from, to] = line.split(' ')[0].split('-').map((hex) => Number.parseInt(hex, 16));
        return from <= at && at < to;
      });
      const before = ranges.filter(mapped).length;
      for (let i = 0; i < 20; i++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      console.log(JSON.stringify({
        before, after: ranges.filter(mapped).length, kept: mapped(address), sum: bytes.reduce((a, b) => a + b, 0),
      }));`;
    const args = ['--expose-gc', '--import', 'tsx', '--input-type=module', '-e', script, path];
    const out = execFileSync(process.execPath, args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' });
    expect(JSON.parse(out)).toEqual({ before: 20, after: 0, kept: true, sum: 0 });
  });
});
