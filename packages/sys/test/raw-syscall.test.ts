import { describe, expect, test } from 'vitest';
import { errnoName, errnoNumber, eventFd, fileWrite, getErrno, ioctl, rawSyscall, withScope } from '../src/index.ts';

const numbers =
  process.arch === 'x64' ? { getpid: 39, close: 3, pread64: 17 } : { getpid: 172, close: 57, pread64: 67 };
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;

test('error names have numbers', () => {
  expect(['EPERM', 'EINVAL', 'ENOTSUPP'].map(errnoNumber)).toEqual([1, 22, 524]);
  expect(() => errnoNumber('ENONSENSE')).toThrow("'ENONSENSE' is not the name of an error here");
  expect(() => errnoNumber('toString')).toThrow("'toString' is not the name of an error here");
});

describe.runIf(process.platform === 'linux')('system calls', () => {
  test('give a result, or -errno', () => {
    expect(rawSyscall(numbers.getpid)).toBe(process.pid);
    const result = rawSyscall(numbers.close, 0x7fff_ffff);
    const errno = getErrno();
    expect(result).toBe(-errnoNumber('EBADF'));
    expect(errnoName(errno)).toBe('EBADF');
    expect(rawSyscall(99999)).toBe(-errnoNumber('ENOSYS'));
  });

  test('take integers of any kind, and memory', () => {
    withScope((scope) => {
      const memory = scope.alloc(8);
      // A descriptor that is none: EBADF is looked for before the address is.
      for (const argument of [0, -1, 2n ** 64n - 1n, -(2n ** 63n), 2 ** 53 - 1, memory])
        expect(rawSyscall(numbers.pread64, -1, argument, 0, 0, 0, 0)).toBe(-errnoNumber('EBADF'));
    });
    for (const bad of [Number.NaN, 1.5, 2 ** 53, Number.POSITIVE_INFINITY, 2n ** 64n, -(2n ** 63n) - 1n])
      expect(() => rawSyscall(numbers.getpid, 0, bad)).toThrow(`argument 2 is ${bad}; it must be an integer in`);
    expect(() => rawSyscall(numbers.getpid, undefined as unknown as number)).toThrow('argument 1 is undefined');
    expect(() => rawSyscall(numbers.getpid, 1, 2, 3, 4, 5, 6, 7)).toThrow('at most 6 arguments, and this one has 7');
    for (const bad of [-1, 0.5, Number.NaN]) expect(() => rawSyscall(bad)).toThrow(`system call is ${bad}`);
  });

  test('ioctl reads into memory, and says what failed', () => {
    using event = eventFd();
    withScope((scope) => {
      const flag = scope.alloc(4);
      expect(ioctl(event, FIONBIO, flag)).toBe(0);
      flag.view.setInt32(0, 1, true);
      ioctl(event, FIONBIO, flag);
    });
    fileWrite(event, new Uint8Array(8));
    expect(() => ioctl(event, FIONREAD)).toThrow(
      expect.objectContaining({
        syscall: 'ioctl',
        code: 'ENOTTY',
        message: `ioctl failed with ENOTTY: request 0x541b of descriptor ${event.fd}`,
      }),
    );
    expect(() => ioctl(event, -1)).toThrow('the request is -1');
    expect(() => ioctl(event, 2 ** 32)).toThrow('the request is 4294967296');
  });
});
