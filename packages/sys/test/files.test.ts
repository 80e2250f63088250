import { constants, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  eventFd,
  Fd,
  fileOpen,
  fileRead,
  fileReadAll,
  fileWrite,
  fileWriteAll,
  O_APPEND,
  O_CLOEXEC,
  O_CREAT,
  O_EXCL,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  SysError,
} from '../src/index.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe.runIf(process.platform === 'linux')('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bpf-sys-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("the flags are this machine's", () => {
    const { O_CREAT: creat, O_EXCL: excl, O_TRUNC: trunc, O_APPEND: append, O_NONBLOCK: nonblock } = constants;
    expect([O_RDONLY, O_WRONLY, O_RDWR]).toEqual([constants.O_RDONLY, constants.O_WRONLY, constants.O_RDWR]);
    expect([O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK]).toEqual([creat, excl, trunc, append, nonblock]);
  });

  test('opens, writes, reads up to the end', () => {
    const path = join(folder, 'a');
    using file = fileOpen(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(fileWrite(file, 'grüße')).toBe(7);
    expect(fileWrite(file.fd, Uint8Array.of(33))).toBe(1);
    using again = fileOpen(path, O_RDONLY);
    expect(text(fileRead(again, 4))).toBe('grü');
    expect(text(fileRead(again, 100))).toBe('ße!');
    expect(fileRead(again, 100)).toEqual(new Uint8Array(0));
    expect(fileRead(again, 0)).toEqual(new Uint8Array(0));
    expect(() => fileOpen(path, O_RDWR | O_CREAT | O_EXCL)).toThrow(`openat failed with EEXIST: ${path}`);
    const flags = text(fileReadAll(`/proc/self/fdinfo/${file.fd}`)).match(/flags:\s*(\d+)/)?.[1];
    expect(Number.parseInt(flags ?? '', 8) & O_CLOEXEC).toBe(O_CLOEXEC);
  });

  test('whole files: created, replaced, larger than a chunk, and without a size', () => {
    const path = join(folder, 'b');
    const large = new Uint8Array(200_001).map((_, i) => i);
    expect(fileWriteAll(path, large)).toBe(200_001);
    expect(Buffer.compare(fileReadAll(path), large)).toBe(0);
    expect(fileWriteAll(path, 'short')).toBe(5);
    expect(text(fileReadAll(path))).toBe('short');
    expect(fileWriteAll(path, '')).toBe(0);
    expect(fileReadAll(path)).toEqual(new Uint8Array(0));
    expect(text(fileReadAll('/proc/version'))).toMatch(/^Linux version/);
  });

  test('what fails is a SysError that names the call and its subject', () => {
    expect(() => fileReadAll('/no/such/file')).toThrow(
      expect.objectContaining({
        name: 'SysError',
        code: 'ENOENT',
        errno: 2,
        syscall: 'openat',
        message: 'openat failed with ENOENT: /no/such/file',
      }),
    );
    expect(() => fileReadAll('/')).toThrow(expect.objectContaining({ code: 'EISDIR', syscall: 'read' }));
    using readOnly = fileOpen('/proc/version', O_RDONLY);
    expect(() => fileWrite(readOnly, 'x')).toThrow(`write failed with EBADF: descriptor ${readOnly.fd}`);
    using empty = eventFd();
    expect(() => fileRead(empty, 8)).toThrow(expect.objectContaining({ code: 'EAGAIN', errno: 11 }));
    expect(() => fileRead(0x7fff_ffff, 8)).toThrow(SysError);
    const closed = new Fd(fileOpen('/proc/version', O_RDONLY).disown());
    closed.close();
    expect(() => fileRead(closed, 8)).toThrow('this Fd is closed');
  });

  test('numbers are checked before the call', () => {
    for (const bad of [-1, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => fileOpen('/', bad)).toThrow(`the flags are ${bad}; they must be an integer in 0..2147483647`);
      expect(() => fileRead(bad, 1)).toThrow(`the descriptor is ${bad}; it must be an integer in 0..2147483647`);
      expect(() => fileRead(0, bad)).toThrow(`the size is ${bad}; it must be an integer in 0..2147479552`);
    }
    expect(() => fileOpen('/', O_RDONLY, 0o10000)).toThrow('the mode is 4096');
    expect(() => fileOpen('a\0b', O_RDONLY)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });

  test('an eventfd counts', () => {
    using event = eventFd(2);
    expect(fileWrite(event, new Uint8Array(BigUint64Array.of(3n).buffer))).toBe(8);
    expect(fileRead(event, 8)).toEqual(Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0));
    expect(() => fileRead(event, 8)).toThrow('EAGAIN');
    expect(() => eventFd(-1)).toThrow('initial is -1');
  });

  test('nothing stays open', () => {
    const count = (): number => readdirSync('/proc/self/fd').length;
    const before = count();
    for (let i = 0; i < 10; i++) {
      fileReadAll('/proc/version');
      expect(() => fileReadAll('/')).toThrow('EISDIR');
      eventFd().close();
    }
    expect(count()).toBe(before);
  });
});
